"""Reads an OCI image layout with Python's own libraries: every blob that is reached is compared with its digest and size.

    read_back.py FOLDER TAG    prints the SHA-256 of the module under the tag, and its media type
"""

import gzip
import hashlib
import io
import json
import pathlib
import sys
import tarfile

folder, tag = pathlib.Path(sys.argv[1]), sys.argv[2]


def blob(descriptor):
    algorithm, digest = descriptor["digest"].split(":")
    data = (folder / "blobs" / algorithm / digest).read_bytes()
    assert len(data) == descriptor["size"], descriptor
    assert hashlib.new(algorithm, data).hexdigest() == digest, descriptor
    return data


assert json.loads((folder / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
index = json.loads((folder / "index.json").read_bytes())
assert index["schemaVersion"] == 2
(found,) = [m for m in index["manifests"] if m["annotations"]["org.opencontainers.image.ref.name"] == tag]
assert found["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
manifest = json.loads(blob(found))
assert manifest["schemaVersion"] == 2 and manifest["mediaType"] == found["mediaType"]
config = json.loads(blob(manifest["config"]))
layers = [(layer["mediaType"], blob(layer)) for layer in manifest["layers"]]
kind, data = layers[-1]
if kind == "application/vnd.oci.image.layer.v1.tar+gzip":
    assert manifest["annotations"]["module.wasm.image/variant"] == "compat" and len(layers) == 1
    archive = gzip.decompress(data)
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(archive).hexdigest()]
    assert data[4:8] == bytes(4), "a time in the header of gzip"
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        (file,) = files.getmembers()
        assert (file.name, file.mode, file.mtime, file.uid, file.gid) == ("plugin.wasm", 0o644, 0, 0, 0), file
        data = files.extractfile(file).read()
else:
    assert [name for name, _ in layers] == ["application/vnd.module.wasm.config.v1+json", kind]
    assert config["type"] == "envoy_proxy"
print(hashlib.sha256(data).hexdigest(), kind)
