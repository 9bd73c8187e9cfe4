import Core
import Linux
import Logging
import NIOCore
import Settings
import Traces

extension TracePipeline {
  /// Begins tracing where configuration or environment say so. INVALID_ARGUMENT or FAILED_PRECONDITION where what they say cannot be done.
  static func start(_ configuration: Configuration.Tracing, _ loops: any EventLoopGroup, _ metrics: Metrics, _ logger: Logger) throws
    -> TracePipeline?
  {
    guard let settings = try TraceSettings.effective(TraceOptions(configuration), environment: ProcessEnvironment.strings) else {
      return nil
    }
    let pipeline = try start(settings, group: loops, metrics: metrics, logger: logger)
    Tracing.use(pipeline)
    logger.info("traces are sent", metadata: ["endpoint": "\(settings.endpoint.display)", "protocol": "\(settings.wire.rawValue)"])
    return pipeline
  }
}

extension TraceOptions {
  fileprivate init(_ settings: Configuration.Tracing) {
    self.init()
    (endpoint, wire, samplesPerMillion) = (settings.endpoint, settings.wire, settings.samplesPerMillion)
    (headers, timeout, compression) = (settings.headers, settings.timeout, settings.compression)
    trust = TraceTrust(authorities: settings.tlsAuthorities, certificate: settings.tlsCertificate, key: settings.tlsKey)
  }
}
