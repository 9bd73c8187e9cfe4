import Core

/// A snapshot's name as a directory name.
enum SnapshotKey {
  /// Letters, digits, `-`, `_` and `.`, not beginning with a dot: a key is never a path.
  static func check(_ key: String) throws(Fault) {
    let isPlain = key.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
      default: false
      }
    }
    guard isPlain, !key.isEmpty, key.utf8.first != 0x2e, key.utf8.count <= 200 else {
      throw Fault(.invalidArgument, "\"\(key.prefix(200))\" cannot be the name of a snapshot")
    }
  }
}
