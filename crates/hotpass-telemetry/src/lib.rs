//! OpenTelemetry for a program: traces, metrics and logs from `tracing`, exported without slowing the work.
