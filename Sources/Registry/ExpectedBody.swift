import Core

/// What a response to a request for the bytes from `start` of a blob of `size` bytes may be.
struct ExpectedBody {
  let start: Int64
  let size: Int64

  /// A 200, also in answer to a Range: how many bytes of it to skip. DATA_LOSS where its length is not the blob's.
  func whole(length: Int64?) throws(Fault) -> Int64 {
    if let length, length != size { throw Fault(.dataLoss, "the blob has \(length) bytes there, the manifest says \(size)") }
    return start
  }

  /// A 206: nothing to skip. DATA_LOSS where it is not the range asked for.
  func part(range text: String?, length: Int64?) throws(Fault) -> Int64 {
    guard start > 0, let range = text.flatMap(ContentRange.init) else {
      throw Fault(.dataLoss, "status 206 with range \"\(Excerpt.of(text ?? ""))\" in answer to a request from byte \(start)")
    }
    let isRight = range.first == start && range.last < size && (range.total ?? size) == size
    guard isRight, length == nil || length == range.last - range.first + 1 else {
      throw Fault(
        .dataLoss, "asked for bytes \(start)-\(size - 1)/\(size), got \(range) with length \(length.map(String.init) ?? "unknown")")
    }
    return 0
  }

  /// A 416.
  var tooShort: Fault { Fault(.dataLoss, "the blob ends before byte \(start) there, the manifest says \(size) bytes") }
}

/// `bytes 100-199/1000` or `bytes 100-199/*` (RFC 9110 section 14.4).
struct ContentRange: Equatable, CustomStringConvertible {
  let first: Int64
  let last: Int64
  let total: Int64?

  init?(_ text: String) {
    guard text.lowercased().hasPrefix("bytes ") else { return nil }
    let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2, let first = Int64(ends[0]), let last = Int64(ends[1]), first >= 0, last >= first else { return nil }
    guard let total = parts[1] == "*" ? .some(nil) : Int64(parts[1]).map(Optional.some) else { return nil }
    self.first = first
    self.last = last
    self.total = total
  }

  var description: String { "bytes \(first)-\(last)/\(total.map(String.init) ?? "*")" }
}
