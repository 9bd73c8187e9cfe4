import Core
import Linux

/// What a stack of layer directories shows when overlaid, read without mounting it: whiteouts and opaque directories honoured.
final class MergedView: LowerView {
  /// Highest first.
  private let layers: [Layer]
  /// Which layers make up a directory, highest first; empty where there is none.
  private var directories: [RawName: [Int]] = [:]

  private final class Layer {
    let root: ConfinedRoot
    init(_ path: String) throws { root = try ConfinedRoot(path: path) }
  }

  /// - Parameter paths: root directories of the layers, lowest first.
  init(_ paths: [String]) throws { layers = try paths.reversed().map { try Layer($0) } }

  /// Where an entry is: the layer that provides it, and what it is.
  struct Found {
    let layer: Int
    let status: FileStatus
  }

  func find(_ name: RawName, in directory: [RawName]) throws -> Found? {
    for layer in try stack(directory) {
      let opened = try layers[layer].root.directory(RawName.joined(directory))
      guard let status = try opened.status(name) else { continue }
      return try LayerMarks.isHidden(name, status, in: opened) ? nil : Found(layer: layer, status: status)
    }
    return nil
  }

  /// The layers that contribute to a directory.
  private func stack(_ directory: [RawName]) throws -> [Int] {
    let key = RawName.joined(directory)
    if let known = directories[key] { return known }
    guard let name = directory.last else { return Array(layers.indices) }
    let result = try merge(name, try stack(directory.dropLast()), RawName.joined(directory.dropLast()))
    directories[key] = result
    return result
  }

  private func merge(_ name: RawName, _ stack: [Int], _ parent: RawName) throws -> [Int] {
    var result: [Int] = []
    for layer in stack {
      let opened = try layers[layer].root.directory(parent)
      guard let status = try opened.status(name) else { continue }
      guard status.type == .directory else { break }
      result.append(layer)
      if try LayerMarks.hidesAll(opened.directory(name).handle) { break }
    }
    return result
  }

  func look(up name: RawName, in directory: [RawName]) throws -> LowerEntry? {
    guard let found = try find(name, in: directory) else { return nil }
    switch found.status.type {
    case .directory: return .directory
    case .symlink: return .symlink(try open(found, directory).readLink(name))
    default: return .other
    }
  }

  func names(in directory: [RawName]) throws -> [RawName] {
    var seen: [RawName: Bool] = [:]
    for layer in try stack(directory) {
      let opened = try layers[layer].root.directory(RawName.joined(directory))
      for name in try opened.names() where seen[name] == nil {
        seen[name] = try opened.status(name).map { try !LayerMarks.isHidden(name, $0, in: opened) } ?? false
      }
    }
    return seen.filter(\.value).keys.sorted()
  }

  /// The directory, in the one layer that provides `found`.
  func open(_ found: Found, _ directory: [RawName]) throws -> Directory {
    try layers[found.layer].root.directory(RawName.joined(directory))
  }
}
