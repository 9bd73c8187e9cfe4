import Linux

/// The CRI as its facts have it: what the generators of requests go by, so that no field can be forgotten.
package struct CRIDefinitions {
  package struct Field: Hashable {
    package enum Kind: Hashable {
      case bool, int32, int64, uint32, uint64, double, string, bytes
      /// Values by name are not needed; those that there are are.
      case enumeration(Set<Int32>)
      case message(String)
      /// All maps of the CRI lead from strings to strings.
      case map
    }

    package let number: UInt64
    package let name: String
    package let kind: Kind
    package let isRepeated: Bool
  }

  package struct Method: Hashable {
    package let path: String
    package let request: String
    package let isStreaming: Bool
  }

  package struct UnknownType: Error { package let line: String }

  package private(set) var methods: [Method] = []
  package private(set) var messages: [String: [Field]] = [:]

  package init() throws {
    let root = Files.parent(of: Files.parent(of: Files.parent(of: #filePath)))
    let lines = String(decoding: try Files.read(root + "/cri-api/facts/cri-v1.txt"), as: UTF8.self).split(separator: "\n")
    let enumerations = Self.enumerations(lines)
    let names = Set(lines.filter { $0.hasPrefix("message ") }.map { $0.dropFirst("message ".count) })
    var (service, message) = ("", "")
    for line in lines {
      let words = line.split(separator: " ").map(String.init)
      switch words[0] {
      case "service": service = words[1]
      case "rpc": methods.append(Self.method(words, of: service))
      case "message":
        message = words[1]
        messages[message] = []
      case _ where UInt64(words[0]) != nil:
        messages[message, default: []].append(try Self.field(words, enumerations, names, String(line)))
      default: break
      }
    }
  }

  /// `enum Name: A=0, B=1`.
  private static func enumerations(_ lines: [Substring]) -> [String: Set<Int32>] {
    var found: [String: Set<Int32>] = [:]
    for line in lines where line.hasPrefix("enum ") {
      let parts = line.dropFirst("enum ".count).split(separator: ":", maxSplits: 1)
      found[String(parts[0])] = Set(parts[1].split(separator: ",").compactMap { $0.split(separator: "=").last.flatMap { Int32($0) } })
    }
    return found
  }

  /// `rpc Name(Request) -> [stream] Response`.
  private static func method(_ words: [String], of service: String) -> Method {
    let parts = words[1].split(separator: "(")
    return Method(path: "/runtime.v1.\(service)/\(parts[0])", request: String(parts[1].dropLast()), isStreaming: words[3] == "stream")
  }

  /// `1 name: [repeated] type [deprecated]`.
  private static func field(_ words: [String], _ enumerations: [String: Set<Int32>], _ messages: Set<Substring>, _ line: String) throws
    -> Field
  {
    let isRepeated = words[2] == "repeated"
    let type = words[isRepeated ? 3 : 2]
    let simple: [String: Field.Kind] = [
      "bool": .bool, "int32": .int32, "int64": .int64, "uint32": .uint32, "uint64": .uint64, "double": .double, "string": .string,
      "bytes": .bytes,
      "map<string,string>": .map,
    ]
    let other = enumerations[type].map(Field.Kind.enumeration) ?? (messages.contains(Substring(type)) ? .message(type) : nil)
    guard let kind = simple[type] ?? other, let number = UInt64(words[0]) else { throw UnknownType(line: line) }
    return Field(number: number, name: String(words[1].dropLast()), kind: kind, isRepeated: isRepeated)
  }
}

/// The way to a field of a request: `config.linux.resources.cpu_quota`.
package struct FieldPath: Hashable, CustomStringConvertible {
  package let fields: [CRIDefinitions.Field]

  package init(fields: [CRIDefinitions.Field]) { self.fields = fields }

  package var last: CRIDefinitions.Field { fields[fields.count - 1] }
  package var description: String { fields.map(\.name).joined(separator: ".") }

  /// A message with this field as `values` have it, and all others as they were. Of repeated messages on the way the first is changed.
  package func set(_ values: [WireField], in message: [UInt8]) -> [UInt8] { Self.set(fields[...], values, in: message) }

  private static func set(_ path: ArraySlice<CRIDefinitions.Field>, _ values: [WireField], in message: [UInt8]) -> [UInt8] {
    var fields = WireField.parse(message) ?? []
    guard let number = path.first?.number else { return message }
    if path.count == 1 {
      fields.removeAll { $0.number == number }
      fields += values
    } else {
      let index = fields.firstIndex { $0.number == number } ?? fields.endIndex
      if index == fields.endIndex { fields.append(.bytes(number, [])) }
      fields[index].content = set(path.dropFirst(), values, in: fields[index].content)
    }
    var output: [UInt8] = []
    for field in fields { field.write(&output) }
    return output
  }
}

extension CRIDefinitions {
  /// Every field of a message, at any depth, messages themselves too.
  package func paths(of message: String) -> [FieldPath] {
    (messages[message] ?? []).flatMap { field in
      let own = FieldPath(fields: [field])
      guard case .message(let inner) = field.kind else { return [own] }
      return [own] + paths(of: inner).map { FieldPath(fields: [field] + $0.fields) }
    }
  }
}
