package import Linux

/// How a layer's directory says what it hides of the layers below: by overlayfs' own signs, a character device 0:0 and an attribute
/// (Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories"). Where the layers are on an overlayfs themselves, it keeps those
/// signs to itself; there they are attributes of ours, and overlayfs cannot be used anyway.
package enum LayerMarks {
  private static let overlayOpaque: RawName = "trusted.overlay.opaque"
  private static let opaque: RawName = "trusted.berth.opaque"
  private static let whiteout: RawName = "trusted.berth.whiteout"
  private static let yes = [UInt8(ascii: "y")]

  /// Attributes that a layer's archive must not bring: they would steer a mount, or a copy.
  package static func isReserved(_ attribute: RawName) -> Bool {
    ["trusted.overlay.", "user.overlay.", "trusted.berth."].contains { attribute.bytes.starts(with: $0.utf8) }
  }

  /// Hides `name` of the layers below. True where overlayfs would not understand how.
  package static func hide(_ name: RawName, in directory: borrowing Directory) throws(SystemError) -> Bool {
    do { try directory.makeWhiteout(name) } catch {
      guard error.number == error.notPermitted else { throw error }
      try directory.makeNode(name, .regular)
      try directory.setMode(name, 0)
      try directory.setAttribute(name, whiteout, yes)
      return true
    }
    return false
  }

  /// Whether `name` is nothing but the sign that it is gone.
  package static func isHidden(_ name: RawName, _ status: FileStatus, in directory: borrowing Directory) throws(SystemError) -> Bool {
    if status.isWhiteout { return true }
    guard status.type == .regular, status.size == 0, status.mode == 0 else { return false }
    return try directory.attributes(name)[whiteout] == yes
  }

  /// Hides all that the layers below have in this directory. True where overlayfs would not understand how.
  package static func hideAll(_ directory: borrowing FileHandle) throws(SystemError) -> Bool {
    do { try directory.setAttribute(overlayOpaque, yes) } catch {
      guard error.isUnsupported else { throw error }
      try directory.setAttribute(opaque, yes)
      return true
    }
    return false
  }

  package static func hidesAll(_ directory: borrowing FileHandle) throws(SystemError) -> Bool {
    if try directory.attribute(overlayOpaque) == yes { return true }
    return try directory.attribute(opaque) == yes
  }

  /// FAILED_PRECONDITION where overlayfs would not understand one of these layers.
  package static func checkOverlay(_ layers: [LayerID], below root: String) throws(Fault) {
    guard let layer = layers.first(where: { Files.exists(LayerLayout.foreignMarker(root, $0)) }) else { return }
    throw Fault(
      .failedPrecondition,
      "layer \(layer): it was stored where overlayfs cannot be used, in a way that overlayfs does not understand: use native snapshots, or remove and pull its images again where the root is on another filesystem"
    )
  }
}
