import CRIAPI
package import Core
package import OCI

/// What a container runs: the CRI's command and args over the image's Entrypoint and Cmd.
package enum ContainerCommand {
  /// A command replaces the Entrypoint *and* drops the image's Cmd; args replace the Cmd only (as Kubernetes documents them).
  package static func resolve(command: [String], args: [String], image: ImageConfig) throws(Fault) -> [String] {
    var words = command.isEmpty ? image.config.entrypoint : command
    // Docker's way to clear an inherited entrypoint.
    if words == [""] { words = [] }
    words += command.isEmpty && args.isEmpty ? image.config.cmd : args
    guard !words.isEmpty else { throw Fault(.invalidArgument, "no command specified") }
    return words
  }

  /// Absolute; the image's `WORKDIR app` means `/app`, as docker reads it.
  static func workingDirectory(_ inputs: SpecInputs) throws(Fault) -> String {
    let asked = inputs.container.workingDir
    if !asked.isEmpty { return asked }
    let ofImage = inputs.image.config.workingDir
    if ofImage.isEmpty, let base = inputs.handler.base?.content.process?.cwd { return base }
    return ofImage.hasPrefix("/") ? ofImage : "/" + ofImage
  }
}
