/// RFC 3339 timestamps with up to nine decimals, as nanoseconds since 1970.
enum Timestamp {
  /// Nil for anything else; offsets (`+02:00`) are taken into account. What 64 bits cannot hold (before 1678, after 2261) is the first or last that they can.
  static func parse(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    guard bytes.count >= 20, bytes[4] == dash, bytes[7] == dash, bytes[13] == colon, bytes[16] == colon,
      let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let day = number(bytes[8..<10]),
      let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]), let second = number(bytes[17..<19]),
      (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
    else { return nil }
    var rest = bytes[19...]
    guard let nanoseconds = fraction(&rest), let offset = offset(rest) else { return nil }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflowAgain) = whole.addingReportingOverflow(nanoseconds)
    return overflow || overflowAgain ? (seconds < 0 ? .min : .max) : sum
  }

  /// `90s`, `5m`, `2h`, `1d` as nanoseconds.
  static func span(_ text: String) -> Int64? {
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()), count >= 0 else { return nil }
    let (nanoseconds, overflow) = count.multipliedReportingOverflow(by: unit * 1_000_000_000)
    return overflow ? nil : nanoseconds
  }

  private static let dash = UInt8(ascii: "-")
  private static let colon = UInt8(ascii: ":")

  private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
    digits.allSatisfy { (48...57).contains($0) } ? digits.reduce(0) { $0 * 10 + Int64($1 - 48) } : nil
  }

  /// Takes `.123` off the front; 0 where there is none.
  private static func fraction(_ rest: inout ArraySlice<UInt8>) -> Int64? {
    guard rest.first == UInt8(ascii: ".") else { return 0 }
    let digits = rest.dropFirst().prefix { (48...57).contains($0) }
    rest = rest[digits.endIndex...]
    guard !digits.isEmpty, let value = number(digits.prefix(9)) else { return nil }
    return (digits.count..<9).reduce(value) { value, _ in value * 10 }
  }

  /// Seconds east of Greenwich.
  private static func offset(_ rest: ArraySlice<UInt8>) -> Int64? {
    if rest.elementsEqual("Z".utf8) { return 0 }
    let bytes = Array(rest)
    guard bytes.count == 6, bytes[3] == colon, let hours = number(bytes[1..<3]), let minutes = number(bytes[4..<6]) else { return nil }
    switch bytes[0] {
    case UInt8(ascii: "+"): return hours * 3600 + minutes * 60
    case dash: return -(hours * 3600 + minutes * 60)
    default: return nil
    }
  }

  /// Days from 1970-01-01 in the Gregorian calendar, whose years are counted from March so that the leap day comes last.
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}
