import Linux

/// Names that mean something to overlayfs (Documentation/filesystems/overlayfs.rst) or to layers (OCI image spec, layer.md "Whiteouts").
enum Overlay {
  /// What a name in a layer's archive asks for.
  enum Marker: Equatable {
    /// Hides this name of the layers below.
    case whiteout(RawName)
    /// Hides everything that the layers below have in this directory.
    case opaque
    /// AUFS' own bookkeeping, to be skipped.
    case bookkeeping
    /// An ordinary entry.
    case none
    /// A whiteout of `.`, `..` or nothing.
    case invalid
  }

  static func marker(_ name: RawName) -> Marker {
    let prefix = Array(".wh.".utf8)
    guard name.bytes.starts(with: prefix) else { return .none }
    let rest = RawName(name.bytes.dropFirst(prefix.count))
    if rest == ".wh..opq" { return .opaque }
    if rest.bytes.starts(with: prefix) { return .bookkeeping }
    return rest == "" || rest == "." || rest == ".." ? .invalid : .whiteout(rest)
  }
}
