import SwiftProtobuf

extension Schema {
  /// What protoc says the .proto files define, names without their package.
  init(descriptors: Google_Protobuf_FileDescriptorSet) {
    self.init()
    for file in descriptors.file {
      self["package \(file.package)"] = file.syntax
      for message in file.messageType { add(message, as: message.name, package: file.package) }
      for type in file.enumType { add(type, as: type.name) }
      for service in file.service { add(service, package: file.package) }
    }
  }

  private mutating func add(_ message: Google_Protobuf_DescriptorProto, as name: String, package: String) {
    self["message \(name)"] = ""
    let entries = message.nestedType.filter(\.options.mapEntry)
    let names = FieldNames(package: package, maps: Dictionary(uniqueKeysWithValues: entries.map { (".\(package).\(name).\($0.name)", $0) }))
    for field in message.field { self["\(name)/\(field.number)"] = names.describe(field) }
    for type in message.enumType { add(type, as: "\(name).\(type.name)") }
    for nested in message.nestedType where !nested.options.mapEntry { add(nested, as: "\(name).\(nested.name)", package: package) }
    for oneof in message.oneofDecl { self["\(name) oneof \(oneof.name)"] = "" }
  }

  private mutating func add(_ type: Google_Protobuf_EnumDescriptorProto, as name: String) {
    self["enum \(name)"] = ""
    for value in type.value { self["\(name)/\(value.name)"] = "\(value.number)" }
  }

  private mutating func add(_ service: Google_Protobuf_ServiceDescriptorProto, package: String) {
    let names = FieldNames(package: package, maps: [:])
    self["service \(service.name)"] = ""
    for method in service.method {
      let input = (method.clientStreaming ? "stream " : "") + names.short(method.inputType)
      let output = (method.serverStreaming ? "stream " : "") + names.short(method.outputType)
      self["\(service.name).\(method.name)"] = "(\(input)) -> \(output)"
    }
  }
}

/// Writes a field as the facts file does: `name: [repeated] type [deprecated]`.
private struct FieldNames {
  let package: String
  /// The synthetic entry messages of a message's map fields, by full name.
  let maps: [String: Google_Protobuf_DescriptorProto]

  func describe(_ field: Google_Protobuf_FieldDescriptorProto) -> String {
    var text = "\(field.name): \(type(of: field))"
    if field.options.deprecated { text += " deprecated" }
    if field.hasOneofIndex { text += field.proto3Optional ? " optional" : " oneof" }
    if field.options.hasPacked { text += " packed=\(field.options.packed)" }
    return text
  }

  func short(_ fullName: String) -> String {
    fullName.hasPrefix(".\(package).") ? String(fullName.dropFirst(package.count + 2)) : fullName
  }

  private func type(of field: Google_Protobuf_FieldDescriptorProto) -> String {
    if let entry = maps[field.typeName] { return "map<\(element(entry.field[0])),\(element(entry.field[1]))>" }
    return (field.label == .repeated ? "repeated " : "") + element(field)
  }

  private func element(_ field: Google_Protobuf_FieldDescriptorProto) -> String {
    switch field.type {
    case .message, .enum: short(field.typeName)
    case .string: "string"
    case .bytes: "bytes"
    case .bool: "bool"
    case .int32: "int32"
    case .int64: "int64"
    case .uint32: "uint32"
    case .uint64: "uint64"
    case .double: "double"
    default: "\(field.type)"
    }
  }
}
