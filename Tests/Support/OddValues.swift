/// What a field can be given that nobody had in mind, by its type.
package struct OddValues {
  private var numbers: SeededNumbers
  private let texts: [[UInt8]]

  private static let varints: [UInt64] = [
    0, 1, 2, 3, 7, 99, 4096, 70_000, 1 << 31, (1 << 31) - 1, 1 << 32, (1 << 32) - 1, UInt64(Int64.max), UInt64(bitPattern: Int64.min),
    UInt64.max, UInt64(bitPattern: -2), UInt64(bitPattern: -1001),
  ]
  /// What looks right and is not, or not here: every other time.
  private static let likely: [String: [String]] = [
    "cpuset_cpus": ["4095", "0-4000", "0-", "1,,2"], "cpuset_mems": ["1023", "0-1000"],
    "page_size": ["3MB", "64KB", "1GB", "1024MB", "2MiB"], "unified": ["memory.high", "no.such", "cgroup.procs"],
    "container_path": ["/etc/passwd", "/etc/passwd/below", "/bin", "/dev/null", "/proc/x", "/made/anew"],
    "working_dir": ["/etc/passwd", "/etc/passwd/below", "/made/anew"], "masked_paths": ["/etc/passwd/below", "/bin"],
    "readonly_paths": ["/etc/passwd/below", "/bin"], "localhost_ref": ["/etc/passwd", "/no/such"], "host_ip": ["::1", "10.0.0.300"],
    "command": ["/etc/passwd", "/bin", "no-such-program"],
  ]
  private static let notUTF8: [UInt8] = [0x61, 0xc3, 0x28]

  package init(seed: UInt64) {
    numbers = SeededNumbers(seed: seed)
    texts = FullConfigs.texts.map { Array($0.utf8) } + [Self.notUTF8]
  }

  /// Occurrences of a field: none, one or several.
  package mutating func some(of field: CRIDefinitions.Field) -> [WireField] {
    let count = field.isRepeated || field.kind == .map ? [0, 1, 1, 1, 2].randomElement(using: &numbers) ?? 1 : 1
    var values: [WireField] = []
    for _ in 0..<count { values.append(one(of: field)) }
    // Now and then the same once more.
    return field.isRepeated && numbers.next() % 4 == 0 ? values + values : values
  }

  private mutating func one(of field: CRIDefinitions.Field) -> WireField {
    switch field.kind {
    case .bool: .varint(field.number, numbers.next() % 4 == 0 ? .max : 1)
    // No request has a double; this is one of the wrong wire type.
    case .int32, .int64, .uint32, .uint64, .double: .varint(field.number, Self.varints.randomElement(using: &numbers) ?? 0)
    case .enumeration(let known): .varint(field.number, enumeration(known))
    case .string, .bytes: .bytes(field.number, text(of: field))
    case .map: .bytes(field.number, entry(of: field))
    case .message: .bytes(field.number, [])
    }
  }

  /// Often one that there is: that may be what contradicts something else.
  private mutating func enumeration(_ known: Set<Int32>) -> UInt64 {
    if numbers.next() % 2 == 0 { return UInt64(bitPattern: Int64(known.sorted().randomElement(using: &numbers) ?? 0)) }
    return [99, 1 << 20, (1 << 31) - 1, .max].randomElement(using: &numbers) ?? 99
  }

  /// The longest cost much and rarely differ.
  private mutating func text() -> [UInt8] {
    let text = texts.randomElement(using: &numbers) ?? []
    return text.count > 10_000 && numbers.next() % 4 != 0 ? Array(text[..<10_000]) : text
  }

  private mutating func text(of field: CRIDefinitions.Field) -> [UInt8] {
    guard let likely = Self.likely[field.name], numbers.next() % 2 == 0 else { return text() }
    return Array((likely.randomElement(using: &numbers) ?? "").utf8)
  }

  private mutating func entry(of field: CRIDefinitions.Field) -> [UInt8] {
    var output: [UInt8] = []
    WireField.bytes(1, text(of: field)).write(&output)
    WireField.bytes(2, text()).write(&output)
    return output
  }
}
