import ArgumentParser
import Linux

/// Parses, runs, and puts every failure on one line that begins with the program's name.
@main enum Main {
  static func main() async {
    do {
      var command = try await Berth.asyncParseAsRoot()
      if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
    } catch let failure as Failure {
      Console.standard.complain(failure.message)
      Berth.exit(withError: ExitCode(failure.status))
    } catch where isUsage(error) {
      Berth.exit(withError: error)
    } catch {
      Console.standard.complain(Failure(error).message)
      Berth.exit(withError: ExitCode.failure)
    }
  }

  /// What the argument parser itself has to say: help, a wrong option, an exit code asked for.
  private static func isUsage(_ error: any Error) -> Bool {
    error is CleanExit || error is ValidationError || error is ExitCode || Berth.exitCode(for: error) != .failure
  }
}
