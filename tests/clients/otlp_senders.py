"""The official OpenTelemetry SDK for Python as a sender: spans, log records and metrics over one protocol.

otlp_senders.py PROTOCOL ENDPOINT [CA_FILE TOKEN]

PROTOCOL is grpc or http/protobuf. Prints what it sent as JSON: ids of spans, bodies of log records, names of metrics.
"""

import json
import sys

import grpc
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry._logs import LogRecord, SeverityNumber

SPANS = 1000
RECORDS = 100


def exporters(protocol, endpoint, ca_file, token):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        options = {"endpoint": endpoint, "headers": headers, "compression": grpc.Compression.Gzip}
        if ca_file:
            with open(ca_file, "rb") as file:
                options["credentials"] = grpc.ssl_channel_credentials(file.read())
        else:
            options["insecure"] = True
        return [kind(**options) for kind in (OTLPSpanExporter, OTLPLogExporter, OTLPMetricExporter)]
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    options = {"headers": headers, "compression": Compression.Gzip}
    if ca_file:
        options["certificate_file"] = ca_file
    kinds = [(OTLPSpanExporter, "traces"), (OTLPLogExporter, "logs"), (OTLPMetricExporter, "metrics")]
    return [kind(endpoint=f"{endpoint}/v1/{signal}", **options) for kind, signal in kinds]


def main():
    protocol, endpoint, ca_file, token = (sys.argv[1:] + [None, None])[:4]
    spans, logs, metrics = exporters(protocol, endpoint, ca_file, token)
    resource = Resource.create({"service.name": "sender-python"})

    tracing = TracerProvider(resource=resource)
    tracing.add_span_processor(BatchSpanProcessor(spans))
    tracer = tracing.get_tracer("senders", "1")
    ids = []
    for number in range(SPANS):
        with tracer.start_as_current_span("chat", attributes={"number": number, "text": "grüße " * 5}) as span:
            ids.append(f"{span.get_span_context().span_id:016x}")

    logging = LoggerProvider(resource=resource)
    logging.add_log_record_processor(BatchLogRecordProcessor(logs))
    logger = logging.get_logger("senders")
    bodies = [f"record {number}" for number in range(RECORDS)]
    for body in bodies:
        logger.emit(LogRecord(timestamp=1, severity_number=SeverityNumber.INFO, body=body))

    meters = MeterProvider(resource=resource, metric_readers=[PeriodicExportingMetricReader(metrics)])
    meter = meters.get_meter("senders")
    meter.create_counter("sent.calls").add(3, {"kind": "chat"})
    meter.create_histogram("sent.duration").record(0.25, {"kind": "chat"})

    ended = [provider.force_flush() for provider in (tracing, logging, meters)]
    for provider in (tracing, logging, meters):
        provider.shutdown()
    json.dump({"spans": ids, "logs": bodies, "metrics": ["sent.calls", "sent.duration"], "flushed": ended}, sys.stdout)


main()
