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
    } catch let status as ExitCode {
      // A container's own exit code may look like one of the parser's.
      Berth.exit(withError: status)
    } catch  where Berth.exitCode(for: error) == .validationFailure {
      Console.standard.complain(Berth.message(for: error) + "; see --help")
      Berth.exit(withError: ExitCode.validationFailure)
    } catch  where error is CleanExit || Berth.exitCode(for: error) == .success {
      Berth.exit(withError: error)
    } catch {
      Console.standard.complain(Failure(error).message)
      Berth.exit(withError: ExitCode.failure)
    }
  }
}
