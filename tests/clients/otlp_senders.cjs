// The official OpenTelemetry SDK for Node as a sender: spans, log records and metrics over one protocol.
//
// node otlp_senders.cjs PROTOCOL ENDPOINT [CA_FILE TOKEN]
//
// PROTOCOL is grpc, http/protobuf or http/json. Prints what it sent as JSON: ids of spans, bodies of log records, names
// of metrics. Packages are looked for in the folder that TOLLGATE_PEERS_NODE names.

const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join } = require('node:path');

const load = createRequire(join(process.env.TOLLGATE_PEERS_NODE, 'package.json'));
const { resourceFromAttributes } = load('@opentelemetry/resources');
const { BatchSpanProcessor, NodeTracerProvider } = load('@opentelemetry/sdk-trace-node');
const { BatchLogRecordProcessor, LoggerProvider } = load('@opentelemetry/sdk-logs');
const { MeterProvider, PeriodicExportingMetricReader } = load('@opentelemetry/sdk-metrics');

const SPANS = 1000;
const RECORDS = 100;
const PACKAGES = { grpc: 'grpc', 'http/protobuf': 'proto', 'http/json': 'http' };

function exporter(signal, name, protocol, endpoint, caFile, token) {
  const kind = load(`@opentelemetry/exporter-${signal}-otlp-${PACKAGES[protocol]}`)[name];
  if (protocol === 'grpc') {
    const { Metadata, credentials } = load('@grpc/grpc-js');
    const metadata = new Metadata();
    if (token) metadata.set('authorization', `Bearer ${token}`);
    return new kind({
      url: endpoint,
      metadata,
      compression: 'gzip',
      credentials: caFile ? credentials.createSsl(readFileSync(caFile)) : credentials.createInsecure(),
    });
  }
  const path = signal === 'trace' ? 'traces' : signal;
  return new kind({
    url: `${endpoint}/v1/${path}`,
    headers: token ? { authorization: `Bearer ${token}` } : {},
    compression: 'gzip',
    httpAgentOptions: caFile ? { ca: readFileSync(caFile) } : {},
  });
}

async function main() {
  const [protocol, endpoint, caFile, token] = process.argv.slice(2);
  const resource = resourceFromAttributes({ 'service.name': 'sender-node' });
  const to = (signal, name) => exporter(signal, name, protocol, endpoint, caFile, token);

  const tracing = new NodeTracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor(to('trace', 'OTLPTraceExporter'))],
  });
  const tracer = tracing.getTracer('senders', '1');
  const spans = [];
  for (let number = 0; number < SPANS; number += 1) {
    const span = tracer.startSpan('chat', { attributes: { number, text: 'grüße '.repeat(5) } });
    spans.push(span.spanContext().spanId);
    span.end();
  }

  const logging = new LoggerProvider({
    resource,
    processors: [new BatchLogRecordProcessor({ exporter: to('logs', 'OTLPLogExporter') })],
  });
  const logger = logging.getLogger('senders');
  const logs = Array.from({ length: RECORDS }, (_, number) => `record ${number}`);
  for (const body of logs) logger.emit({ severityNumber: 9, body });

  const reader = new PeriodicExportingMetricReader({ exporter: to('metrics', 'OTLPMetricExporter') });
  const meters = new MeterProvider({ resource, readers: [reader] });
  const meter = meters.getMeter('senders');
  meter.createCounter('sent.calls').add(3, { kind: 'chat' });
  meter.createHistogram('sent.duration').record(0.25, { kind: 'chat' });

  await Promise.all([tracing, logging, meters].map((provider) => provider.forceFlush()));
  await Promise.all([tracing, logging, meters].map((provider) => provider.shutdown()));
  process.stdout.write(JSON.stringify({ spans, logs, metrics: ['sent.calls', 'sent.duration'] }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
