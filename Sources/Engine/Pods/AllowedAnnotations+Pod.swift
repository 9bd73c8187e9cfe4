import Core

extension EngineSettings {
  /// The experimental annotations that count for a pod and its containers.
  func allowed(_ sandbox: SandboxRecord) -> AllowedAnnotations { experiments[sandbox.runtimeHandler] ?? AllowedAnnotations() }
}
