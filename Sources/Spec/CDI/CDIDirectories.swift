import Core
import Linux
import OCI

/// The CDI specs of this node, read anew whenever a container asks for a device: a few small files, nothing to refresh or to miss.
/// A broken file concerns only those who ask for what may be in it.
package struct CDIDirectories {
  private struct File {
    let path: String
    let spec: CDISpec
  }

  /// Files that cannot be used: path and reason.
  private var broken: [String] = []
  /// By priority: a later directory's files come before an earlier one's.
  private var levels: [[File]] = []

  /// Files are those whose names end in `.json` or `.yaml`, directly in the directories (SPEC.md "CDI JSON Specification").
  /// - Parameter directories: lowest priority first, as everywhere with CDI.
  init(_ directories: [String]) {
    for paths in Self.files(in: directories).reversed() {
      var files: [File] = []
      for path in paths {
        if path.hasSuffix(".yml") { broken.append("\(path): is not read; CDI wants the name to end in .yaml") } else { read(path, &files) }
      }
      levels.append(files)
    }
  }

  /// Of each directory, those that are specs by their names, or may have been meant to be.
  package static func files(in directories: [String]) -> [[String]] {
    directories.map { directory in
      let names = ((try? Files.list(directory)) ?? []).filter { name in
        !name.hasPrefix(".") && [".json", ".yaml", ".yml"].contains { name.hasSuffix($0) }
      }
      return names.map { "\(directory)/\($0)" }
    }
  }

  private mutating func read(_ path: String, _ files: inout [File]) {
    guard Files.isRegularFile(path) else { return broken.append("\(path): is no regular file") }
    do {
      files.append(File(path: path, spec: try CDISpec.parse(try Files.read(path, limit: 8 << 20), isYAML: path.hasSuffix(".yaml"))))
    } catch {
      broken.append("\(path): \(error)")
    }
  }

  /// The edits that each device needs, those of its file before the first of it. FAILED_PRECONDITION names the device, and files that are broken.
  func edits(for names: [CDIName]) throws(Fault) -> [CDIEdits] {
    var edits: [CDIEdits] = []
    var seen: Set<String> = []
    for name in names {
      let (file, device) = try find(name)
      let origin = "CDI device \(name) (\(file.path))"
      if seen.insert(file.path).inserted { edits.append(CDIEdits(origin: origin, edits: file.spec.containerEdits)) }
      edits.append(CDIEdits(origin: origin, edits: device.containerEdits))
    }
    return edits
  }

  private func find(_ name: CDIName) throws(Fault) -> (File, CDISpec.Device) {
    for files in levels {
      let found = files.compactMap { file in
        file.spec.kind == name.kind ? file.spec.devices.first { $0.name == name.device }.map { (file, $0) } : nil
      }
      if found.count > 1 {
        throw Fault(
          .failedPrecondition, "CDI device \(name): is in several specs: \(found.map(\.0.path).joined(separator: ", "))")
      }
      if let only = found.first { return only }
    }
    let hint = broken.isEmpty ? "" : "; broken specs: " + broken.joined(separator: "; ")
    throw Fault(.failedPrecondition, "CDI device \(name): no spec on this node has it\(hint)")
  }
}

/// Edits, and who wants them, for messages.
struct CDIEdits {
  let origin: String
  let edits: CDISpec.Edits
}
