import ArgumentParser

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
    guard !leading.isEmpty, !rest.isEmpty else { return arguments }
    let depth = max(1, commands(rest))
    return rest.prefix(depth) + leading + rest.dropFirst(depth)
  }

  /// How many of the arguments, from the first on, name a command below the one before (`images ls`).
  private static func commands(_ arguments: ArraySlice<String>) -> Int {
    var command: any ParsableCommand.Type = Berth.self
    var count = 0
    for argument in arguments {
      let configuration = command.configuration
      let below = configuration.subcommands + configuration.groupedSubcommands.flatMap(\.subcommands)
      guard let next = below.first(where: { $0._commandName == argument || $0.configuration.aliases.contains(argument) }) else { break }
      command = next
      count += 1
    }
    return count
  }
}
