/// `--address` before the subcommand: the parser knows it only as an option of each subcommand, people write it in both places.
enum GlobalOptions {
  private static let name = "--address"

  /// The arguments with leading global options behind the subcommand.
  static func moved(_ arguments: [String]) -> [String] {
    var rest = arguments[...]
    var leading: [String] = []
    while let first = rest.first, first == name || first.hasPrefix(name + "=") {
      let count = first == name ? 2 : 1
      leading += rest.prefix(count)
      rest = rest.dropFirst(count)
    }
    guard !leading.isEmpty, let command = rest.popFirst() else { return arguments }
    return [command] + leading + rest
  }
}
