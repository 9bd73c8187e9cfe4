import CRIAPI
import Core
import Spec

extension ContainerSetup {
  /// Directories of CDI specs, and what links in them lead to, may be where nothing answers any more: a disposable child looks first.
  func lookAtCDI(_ config: Runtime_V1_ContainerConfig) async throws {
    guard config.asksForCDI else { return }
    let directories = services.settings.node.cdiDirectories
    try await look(directories)
    try await look(CDIDirectories.files(in: directories).joined().map(\.self))
  }

  /// What is broken in another way is said where it matters: to those who ask for a device of that file.
  private func look(_ paths: [String]) async throws {
    do { _ = try await hostPaths.look(paths) } catch let fault as Fault {
      if fault.code == .deadlineExceeded { throw fault.within("CDI") }
    }
  }
}
