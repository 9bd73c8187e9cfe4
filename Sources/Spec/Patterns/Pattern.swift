/// A regular expression as Go's `regexp` (RE2) takes them, since those of hook files were written for that; answers whether a text has a match anywhere.
///
/// All places where a match could be are followed at once (Thompson 1968), so that the time grows with the text and the pattern and with nothing else:
/// an expression that goes back over its text can take years for a few dozen characters. Which text matched is not known, so whether repetitions are
/// greedy means nothing, and groups are only brackets.
package struct Pattern: Sendable {
  enum Instruction: Sendable {
    case take(PatternSet)
    case either(Int, Int)
    case jump(Int)
    case assert(PatternNode.Place)
    case matched
  }

  private let program: [Instruction]

  /// Throws what is wrong with it.
  package init(_ text: String) throws(PatternError) {
    var compiler = PatternCompiler()
    var parser = PatternParser(text)
    try compiler.add(parser.parse())
    program = try compiler.finished()
  }

  package func matches(_ text: String) -> Bool {
    let scalars = Array(text.unicodeScalars)
    var (now, next) = (Places(program.count), Places(program.count))
    for index in 0...scalars.count {
      let here = Surroundings(scalars, index)
      if follow(0, here, &now) { return true }
      if index == scalars.count { return false }
      next.clear()
      let after = Surroundings(scalars, index + 1)
      for place in now.list {
        if case .take(let set) = program[place], set.contains(scalars[index]), follow(place + 1, after, &next) { return true }
      }
      swap(&now, &next)
    }
    return false
  }

  /// Adds all that can be reached from an instruction without a character; true where that is the end.
  private func follow(_ start: Int, _ here: Surroundings, _ places: inout Places) -> Bool {
    var open = [start]
    while let place = open.popLast() {
      guard places.insert(place) else { continue }
      switch program[place] {
      case .matched: return true
      case .take: break
      case .jump(let target): open.append(target)
      case .either(let first, let second): open += [second, first]
      case .assert(let condition): if here.satisfy(condition) { open.append(place + 1) }
      }
    }
    return false
  }

  /// A set of instructions that is cleared in no time.
  private struct Places {
    private(set) var list: [Int] = []
    private var known: [Bool]

    init(_ count: Int) { known = Array(repeating: false, count: count) }

    mutating func insert(_ place: Int) -> Bool {
      if known[place] { return false }
      known[place] = true
      list.append(place)
      return true
    }

    mutating func clear() {
      for place in list { known[place] = false }
      list.removeAll(keepingCapacity: true)
    }
  }
}

/// What is before and behind a point of the text; nil at its ends.
private struct Surroundings {
  let before: Unicode.Scalar?
  let after: Unicode.Scalar?

  init(_ text: [Unicode.Scalar], _ index: Int) {
    before = index > 0 ? text[index - 1] : nil
    after = index < text.count ? text[index] : nil
  }

  func satisfy(_ place: PatternNode.Place) -> Bool {
    switch place {
    case .textStart: before == nil
    case .textEnd: after == nil
    case .lineStart: before == nil || before == "\n"
    case .lineEnd: after == nil || after == "\n"
    case .wordBorder: isBorder
    case .noWordBorder: !isBorder
    }
  }

  private var isBorder: Bool { isWord(before) != isWord(after) }
  private func isWord(_ scalar: Unicode.Scalar?) -> Bool { scalar.map(PatternSet.word.contains) ?? false }
}

/// What is wrong with a pattern.
package struct PatternError: Error {
  package let reason: String
}

/// Lays a parsed pattern out as instructions.
private struct PatternCompiler {
  /// As many as keep the longest annotations a matter of moments.
  private static let limit = 2000
  private static let excess = PatternError(reason: "it is too long, with its repetitions written out")

  private var program: [Pattern.Instruction] = []
  /// Repetitions of nothing, which leave no instruction, cost time all the same.
  private var steps = 0

  private mutating func emit(_ instruction: Pattern.Instruction) throws(PatternError) {
    if program.count >= Self.limit { throw Self.excess }
    program.append(instruction)
  }

  mutating func finished() throws(PatternError) -> [Pattern.Instruction] {
    try emit(.matched)
    return program
  }

  mutating func add(_ node: PatternNode) throws(PatternError) {
    steps += 1
    if steps > 10 * Self.limit { throw Self.excess }
    switch node {
    case .set(let set): try emit(.take(set))
    case .place(let place): try emit(.assert(place))
    case .sequence(let parts): for part in parts { try add(part) }
    case .choice(let nodes): try addChoice(nodes)
    case .repetition(let body, let minimum, let maximum): try addRepetition(body, minimum, maximum)
    }
  }

  /// Each but the last behind a fork to the next, and with a jump to the end of all.
  private mutating func addChoice(_ nodes: [PatternNode]) throws(PatternError) {
    var ends: [Int] = []
    for node in nodes.dropLast() {
      let fork = program.count
      try emit(.matched)
      try add(node)
      ends.append(program.count)
      try emit(.matched)
      program[fork] = .either(fork + 1, program.count)
    }
    if let last = nodes.last { try add(last) }
    for end in ends { program[end] = .jump(program.count) }
  }

  private mutating func addRepetition(_ body: PatternNode, _ minimum: Int, _ maximum: Int?) throws(PatternError) {
    for _ in 0..<minimum { try add(body) }
    guard let maximum else { return try addLoop(body) }
    var forks: [Int] = []
    for _ in minimum..<maximum {
      forks.append(program.count)
      try emit(.matched)
      try add(body)
    }
    for fork in forks { program[fork] = .either(fork + 1, program.count) }
  }

  private mutating func addLoop(_ body: PatternNode) throws(PatternError) {
    let fork = program.count
    try emit(.matched)
    try add(body)
    try emit(.jump(fork))
    program[fork] = .either(fork + 1, program.count)
  }
}
