import TOMLKit

/// A type that settings have, made from a TOML value of exactly that type.
protocol SettingValue {
  /// With article, for messages.
  static var expected: String { get }
  init?(_ value: any TOMLValueConvertible)
}

extension String: SettingValue {
  static var expected: String { "a string" }
  init?(_ value: any TOMLValueConvertible) {
    guard let string = value.string else { return nil }
    self = string
  }
}

extension Int: SettingValue {
  static var expected: String { "a whole number" }
  init?(_ value: any TOMLValueConvertible) {
    guard let int = value.int else { return nil }
    self = int
  }
}

extension Duration: SettingValue {
  static var expected: String { "a duration like \"90s\" or \"4h\"" }
  init?(_ value: any TOMLValueConvertible) {
    guard let duration = value.string.flatMap({ Duration(goSyntax: $0) }) else { return nil }
    self = duration
  }
}

extension Bool: SettingValue {
  static var expected: String { "true or false" }
  init?(_ value: any TOMLValueConvertible) {
    guard let bool = value.bool else { return nil }
    self = bool
  }
}

extension [String]: SettingValue {
  static var expected: String { "an array of strings" }
  init?(_ value: any TOMLValueConvertible) {
    guard let array = value.array else { return nil }
    var strings: [String] = []
    for element in array {
      guard let string = element.string else { return nil }
      strings.append(string)
    }
    self = strings
  }
}

extension SettingValue where Self: RawRepresentable, RawValue == String {
  init?(_ value: any TOMLValueConvertible) {
    guard let string = value.string else { return nil }
    self.init(rawValue: string)
  }
}
