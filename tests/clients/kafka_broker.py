"""A cluster of three brokers that speak Kafka's protocol, with the official client beside it.

kafka_broker.py PARTITIONS [TOPIC...]

The brokers are the mock cluster of librdkafka, which the package `confluent-kafka` has in it: real connections, real
consumer groups and offsets, in memory. One thing it does not do as the protocol has it: where a client asks for its
versions (ApiVersions) in a version that it does not know, a broker answers in version 0, so that the client asks again
(KIP-511). So there is a gate before each broker that does that, and lets everything else through. Says the addresses of the brokers as a line of JSON, and then answers each line of
JSON on its input with one:

{"do": "produce", "topic", "records": [{"key", "value"}]}      keys and values are hexadecimal; null is none
{"do": "read", "topic"}                                        all that the topic holds, oldest first
{"do": "committed", "group", "topic"}                          offset by partition; -1001 is none
{"do": "ends", "topic"}                                        offset behind the last record, by partition
{"do": "write_many", "topic", "value", "count", "compression"} how many seconds it takes to write a value that often
{"do": "broker", "id", "up"}                                   takes a broker down, or up again
{"do": "fail", "api", "code", "count"}                         the next answers to requests of a kind are an error
"""

import ctypes
import glob
import json
import os
import socket
import struct
import sys
import threading
import time

import confluent_kafka
from confluent_kafka import Consumer, Producer, TopicPartition

PATIENCE = 20


class Cluster:
    """The mock cluster, through the library that the client itself uses."""

    def __init__(self, brokers):
        packages = os.path.dirname(os.path.dirname(confluent_kafka.__file__))
        [path] = glob.glob(os.path.join(packages, "confluent_kafka.libs", "librdkafka*"))
        self.library = ctypes.CDLL(path)
        for name in ("rd_kafka_new", "rd_kafka_conf_new", "rd_kafka_mock_cluster_new"):
            getattr(self.library, name).restype = ctypes.c_void_p
        self.library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
        error = ctypes.create_string_buffer(512)
        conf = ctypes.c_void_p(self.library.rd_kafka_conf_new())
        self.library.rd_kafka_conf_set(conf, b"log_level", b"3", error, len(error))
        self.client = ctypes.c_void_p(self.library.rd_kafka_new(0, conf, error, len(error)))
        self.cluster = ctypes.c_void_p(self.library.rd_kafka_mock_cluster_new(self.client, brokers))
        # Its group requests are read as inflexible in versions that are flexible; so it has the last that are not.
        for api, most in ((11, 5), (12, 3), (13, 1), (14, 3)):
            self.library.rd_kafka_mock_set_apiversion(
                self.cluster, ctypes.c_int16(api), ctypes.c_int16(0), ctypes.c_int16(most)
            )
        self.library.rd_kafka_mock_group_initial_rebalance_delay_ms(self.cluster, ctypes.c_int32(100))
        self.addresses = self.library.rd_kafka_mock_cluster_bootstraps(self.cluster).decode()

    def create(self, topic, partitions):
        failed = self.library.rd_kafka_mock_topic_create(self.cluster, topic.encode(), partitions, 3)
        assert failed == 0, f"{topic} was not made: {failed}"

    def set_up(self, broker, is_up):
        function = self.library.rd_kafka_mock_broker_set_up if is_up else self.library.rd_kafka_mock_broker_set_down
        assert function(self.cluster, broker) == 0

    def fail(self, api, code, count):
        codes = (ctypes.c_int * count)(*[code] * count)
        self.library.rd_kafka_mock_push_request_errors_array(self.cluster, api, ctypes.c_size_t(count), codes)


class Gate:
    """Stands before a broker under an address of its own, and is what the cluster's answers name in its place."""

    VERSIONS, METADATA, FIND_COORDINATOR = 18, 3, 10
    UNSUPPORTED_VERSION = 35
    KNOWN = 2

    def __init__(self, broker, gates):
        self.broker, self.gates = broker, gates
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        gates[broker] = self.port
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            client, _ = self.listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                broker = socket.create_connection(("127.0.0.1", self.broker))
                broker.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:
                client.close()
                continue
            asked = {}
            for pump, arguments in ((self.requests, (client, broker, asked)), (self.answers, (client, broker, asked))):
                threading.Thread(target=pump, args=arguments, daemon=True).start()

    def requests(self, client, broker, asked):
        for frame in frames(client, broker):
            api, version, correlation = struct.unpack_from(">hhi", frame)
            if api == self.VERSIONS and version > self.KNOWN:
                answer = struct.pack(">ihihhh", correlation, self.UNSUPPORTED_VERSION, 1, self.VERSIONS, 0, self.KNOWN)
                send(client, answer)
            else:
                asked[correlation] = api
                send(broker, frame)

    def answers(self, client, broker, asked):
        for frame in frames(broker, client):
            [correlation] = struct.unpack_from(">i", frame)
            if asked.pop(correlation, None) in (self.METADATA, self.FIND_COORDINATOR):
                for port, gate in self.gates.items():
                    before, after = (b"127.0.0.1" + struct.pack(">i", number) for number in (port, gate))
                    frame = frame.replace(before, after)
            send(client, frame)


def frames(source, other):
    """Requests or answers, until either side is gone."""
    try:
        while head := source.recv(4, socket.MSG_WAITALL):
            [length] = struct.unpack(">i", head)
            yield source.recv(length, socket.MSG_WAITALL)
    except (OSError, struct.error):
        pass
    finally:
        for end in (source, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def send(target, frame):
    target.sendall(struct.pack(">i", len(frame)) + frame)


def partitions_of(consumer, topic):
    return sorted(consumer.list_topics(topic, timeout=PATIENCE).topics[topic].partitions)


def unhex(text):
    return None if text is None else bytes.fromhex(text)


def produce(addresses, asked):
    problems = []
    producer = Producer({"bootstrap.servers": addresses, "linger.ms": 1, "message.max.bytes": 100_000_000})
    for record in asked["records"]:
        told = lambda error, _: problems.append(str(error)) if error else None
        producer.produce(asked["topic"], key=unhex(record["key"]), value=unhex(record["value"]), on_delivery=told)
        producer.poll(0)
    left = producer.flush(PATIENCE)
    return {"left": left, "problems": problems}


def read(addresses, asked):
    topic = asked["topic"]
    consumer = Consumer({"bootstrap.servers": addresses, "group.id": "reader", "enable.auto.commit": False})
    places = [TopicPartition(topic, partition, 0) for partition in partitions_of(consumer, topic)]
    ends = {place.partition: consumer.get_watermark_offsets(place, timeout=PATIENCE)[1] for place in places}
    consumer.assign(places)
    records = []
    while any(ends.values()):
        message = consumer.poll(PATIENCE)
        assert message is not None, f"nothing comes, but there is more: {ends}"
        if message.error():
            continue
        text = lambda value: None if value is None else value.hex()
        records.append(
            {
                "key": text(message.key()),
                "value": text(message.value()),
                "partition": message.partition(),
                "offset": message.offset(),
            }
        )
        if message.offset() + 1 >= ends[message.partition()]:
            ends[message.partition()] = 0
    consumer.close()
    return {"records": records}


def committed(addresses, asked):
    consumer = Consumer({"bootstrap.servers": addresses, "group.id": asked["group"]})
    places = [TopicPartition(asked["topic"], number) for number in partitions_of(consumer, asked["topic"])]
    found = consumer.committed(places, timeout=PATIENCE)
    consumer.close()
    return {"offsets": [place.offset for place in found]}


def ends(addresses, asked):
    consumer = Consumer({"bootstrap.servers": addresses, "group.id": "reader"})
    places = [TopicPartition(asked["topic"], number) for number in partitions_of(consumer, asked["topic"])]
    found = [consumer.get_watermark_offsets(place, timeout=PATIENCE)[1] for place in places]
    consumer.close()
    return {"offsets": found}


def write_many(addresses, asked):
    value, count = unhex(asked["value"]), asked["count"]
    settings = {"linger.ms": 10, "compression.type": asked["compression"], "enable.idempotence": True}
    producer = Producer({"bootstrap.servers": addresses, "queue.buffering.max.messages": 1_000_000, **settings})
    start = time.monotonic()
    for number in range(count):
        while True:
            try:
                producer.produce(asked["topic"], key=b"%032x" % number, value=value)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(300) == 0
    return {"seconds": time.monotonic() - start}


def main():
    cluster = Cluster(3)
    for topic in sys.argv[2:]:
        cluster.create(topic, int(sys.argv[1]))
    gates = {}
    ports = [int(address.rsplit(":", 1)[1]) for address in cluster.addresses.split(",")]
    addresses = [f"127.0.0.1:{Gate(port, gates).port}" for port in ports]
    print(json.dumps({"brokers": addresses}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        match asked["do"]:
            case "broker":
                cluster.set_up(asked["id"], asked["up"])
                answer = {}
            case "fail":
                cluster.fail(asked["api"], asked["code"], asked["count"])
                answer = {}
            case "write_many":
                # By the way of everybody else.
                answer = write_many(",".join(addresses), asked)
            case other:
                answer = {"produce": produce, "read": read, "committed": committed, "ends": ends}[other](
                    cluster.addresses, asked
                )
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
