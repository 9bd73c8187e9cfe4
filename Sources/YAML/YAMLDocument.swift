import CYAML

/// What is wrong with a YAML text.
package struct YAMLError: Error, Sendable, Hashable, CustomStringConvertible {
  /// From 1; 0 where the whole text is meant.
  package let line: Int
  package let reason: String

  package var description: String { line > 0 ? "line \(line): \(reason)" : reason }
}

/// A YAML text read by libyaml, within bounds: an alias stands for a copy of what it names, and copies of copies must not fill the memory.
package struct YAMLDocument {
  private static let maximumSize = 8 << 20
  private static let maximumNodes = 200_000
  private static let maximumDepth = 100

  private let document: UnsafeMutablePointer<yaml_document_t>
  private var nodes = 0

  /// The one document of the text; a text without any is null.
  package static func parse(_ bytes: [UInt8]) throws(YAMLError) -> YAMLNode {
    guard bytes.count <= maximumSize else {
      throw YAMLError(line: 0, reason: "\(bytes.count) bytes, at most \(maximumSize) are allowed")
    }
    let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    let document = UnsafeMutablePointer<yaml_document_t>.allocate(capacity: 1)
    defer {
      document.deallocate()
      parser.deallocate()
    }
    guard yaml_parser_initialize(parser) == 1 else { throw YAMLError(line: 0, reason: "no memory") }
    defer { yaml_parser_delete(parser) }
    let result: Result<YAMLNode, YAMLError> = bytes.withUnsafeBufferPointer { buffer in
      yaml_parser_set_input_string(parser, buffer.baseAddress, buffer.count)
      do throws(YAMLError) { return .success(try only(parser, document)) } catch { return .failure(error) }
    }
    return try result.get()
  }

  private static func only(
    _ parser: UnsafeMutablePointer<yaml_parser_t>, _ document: UnsafeMutablePointer<yaml_document_t>
  ) throws(YAMLError) -> YAMLNode {
    guard let root = try next(parser, document) else { return YAMLNode(.scalar("", isPlain: true)) }
    if let second = try next(parser, document) {
      throw YAMLError(line: second.line, reason: "a second document begins; there may be one")
    }
    return root
  }

  /// nil at the text's end.
  private static func next(
    _ parser: UnsafeMutablePointer<yaml_parser_t>, _ document: UnsafeMutablePointer<yaml_document_t>
  ) throws(YAMLError) -> YAMLNode? {
    try load(parser, document)
    defer { yaml_document_delete(document) }
    guard yaml_document_get_root_node(document) != nil else { return nil }
    var reading = YAMLDocument(document: document)
    return try reading.node(1, depth: 0)
  }

  private static func load(
    _ parser: UnsafeMutablePointer<yaml_parser_t>, _ document: UnsafeMutablePointer<yaml_document_t>
  ) throws(YAMLError) {
    if yaml_parser_load(parser, document) == 1 { return }
    let problem = parser.pointee.problem.map { String(cString: $0) } ?? "not YAML"
    throw YAMLError(line: Int(parser.pointee.problem_mark.line) + 1, reason: problem)
  }

  private init(document: UnsafeMutablePointer<yaml_document_t>) { self.document = document }

  private static func line(_ node: UnsafeMutablePointer<yaml_node_t>) -> Int { Int(node.pointee.start_mark.line) + 1 }

  private mutating func node(_ index: Int32, depth: Int) throws(YAMLError) -> YAMLNode {
    guard let node = yaml_document_get_node(document, index) else { throw YAMLError(line: 0, reason: "node \(index) is missing") }
    let line = Self.line(node)
    nodes += 1
    guard nodes <= Self.maximumNodes else { throw YAMLError(line: line, reason: "more than \(Self.maximumNodes) values, aliases counted") }
    guard depth < Self.maximumDepth else { throw YAMLError(line: line, reason: "more than \(Self.maximumDepth) levels") }
    switch node.pointee.type {
    case YAML_SEQUENCE_NODE: return YAMLNode(.list(try list(node, depth)), line: line)
    case YAML_MAPPING_NODE: return YAMLNode(.table(try table(node, depth)), line: line)
    default: return YAMLNode(try scalar(node), line: line)
    }
  }

  /// libyaml gives every scalar without a tag the string's.
  private func scalar(_ node: UnsafeMutablePointer<yaml_node_t>) throws(YAMLError) -> YAMLNode.Content {
    let scalar = node.pointee.data.scalar
    let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
    guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
      throw YAMLError(line: Self.line(node), reason: "a text that is not UTF-8, or has a NUL character")
    }
    let isString = node.pointee.tag.map { String(cString: $0) == YAML_STR_TAG } ?? false
    return .scalar(text, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE && (isString || node.pointee.tag == nil))
  }

  private mutating func list(_ node: UnsafeMutablePointer<yaml_node_t>, _ depth: Int) throws(YAMLError) -> [YAMLNode] {
    let items = node.pointee.data.sequence.items
    var list: [YAMLNode] = []
    var item = items.start
    while let current = item, current != items.top {
      list.append(try self.node(current.pointee, depth: depth + 1))
      item = current + 1
    }
    return list
  }

  private mutating func table(_ node: UnsafeMutablePointer<yaml_node_t>, _ depth: Int) throws(YAMLError) -> [YAMLNode.Entry] {
    let pairs = node.pointee.data.mapping.pairs
    var entries: [YAMLNode.Entry] = []
    var merged: [YAMLNode.Entry] = []
    var seen: Set<String> = []
    var pair = pairs.start
    while let current = pair, current != pairs.top {
      let key = try self.node(current.pointee.key, depth: depth + 1)
      let value = try self.node(current.pointee.value, depth: depth + 1)
      guard case .scalar(let name, let isPlain) = key.content else { throw YAMLError(line: key.line, reason: "a key that is no text") }
      if name == "<<", isPlain {
        merged += try Self.merged(value)
      } else {
        guard seen.insert(name).inserted else { throw YAMLError(line: key.line, reason: "key \"\(name.prefix(100))\" is there twice") }
        entries.append(YAMLNode.Entry(key: name, value: value))
      }
      pair = current + 1
    }
    for entry in merged where seen.insert(entry.key).inserted { entries.append(entry) }
    return entries
  }

  /// The tables that a merge key names; the first that has a key gives its value.
  private static func merged(_ value: YAMLNode) throws(YAMLError) -> [YAMLNode.Entry] {
    switch value.content {
    case .table(let entries): return entries
    case .list(let tables):
      var entries: [YAMLNode.Entry] = []
      for table in tables { entries += try merged(table) }
      return entries
    case .scalar: throw YAMLError(line: value.line, reason: "<<: must name a table")
    }
  }
}
