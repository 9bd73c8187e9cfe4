import Linux
import Testing

/// docs/cri-coverage.md against the definitions: it cannot fall behind.
@Suite struct CoverageTests {
  private static let root = Files.parent(of: Files.parent(of: Files.parent(of: #filePath)))

  private struct Line: Hashable {
    let message: String
    let field: String
    let test: String
  }

  /// A section a message, a table line a field.
  private func lines() throws -> [Line] {
    var lines: [Line] = []
    var message = ""
    for line in String(decoding: try Files.read(Self.root + "/docs/cri-coverage.md"), as: UTF8.self).split(separator: "\n") {
      if line.hasPrefix("## ") { message = String(line.dropFirst(3)) }
      guard line.hasPrefix("| "), !line.hasPrefix("| field ") else { continue }
      let cells = line.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false)
      let texts = cells.map { $0.split(separator: " ").joined(separator: " ") }
      #expect(texts.count == 4 && ["yes", "kept", "no"].contains(texts[1]), "\(line)")
      if texts.count == 4 { lines.append(Line(message: message, field: texts[0], test: texts[3])) }
    }
    return lines
  }

  /// Fields of each message, from the facts that the definitions are checked against.
  private func fields() throws -> [String: Set<String>] {
    var fields: [String: Set<String>] = [:]
    var message = ""
    for line in String(decoding: try Files.read(Self.root + "/cri-api/facts/cri-v1.txt"), as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ")
      if !line.hasPrefix(" ") { message = words.first == "message" ? String(words[1]) : "" }
      if line.hasPrefix(" "), !message.isEmpty, words.count > 2, UInt32(words[0]) != nil {
        fields[message, default: []].insert(String(words[1].dropLast()))
      }
    }
    return fields
  }

  @Test func `every field has its line, and every line its field`() throws {
    var listed: [String: [String]] = [:]
    for line in try lines() { listed[line.message, default: []].append(line.field) }
    let fields = try fields()
    for message in Set(fields.keys).union(listed.keys) {
      let names = listed[message] ?? []
      #expect(Set(names) == fields[message] && Set(names).count == names.count, "\(message)")
    }
  }

  @Test func `every test that the page names is there`() throws {
    let suites = try Files.list(Self.root + "/Tests").flatMap { directory in (try? Files.list("\(Self.root)/Tests/\(directory)")) ?? [] }
    for line in try lines() {
      for test in line.test.split(separator: ",") {
        let name = test.filter { $0 != " " }
        #expect(suites.contains(name + ".swift"), "\(line.message).\(line.field): \(name)")
      }
    }
  }
}
