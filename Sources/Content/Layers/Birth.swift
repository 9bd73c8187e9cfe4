import Core
import Linux

/// What new files and directories get by themselves: the process's identity (or the group of the directory), and the mode they are made with, less
/// umask or a default ACL. What is right already need not be set: of every entry that is a system call, and a change of its inode.
struct Birth: Sendable {
  /// What is still to be set after an entry was made, times and attributes aside.
  struct Remaining: OptionSet, Sendable {
    let rawValue: Int
    static let owner = Remaining(rawValue: 1)
    static let mode = Remaining(rawValue: 2)
    static let all: Remaining = [.owner, .mode]
  }

  /// Nil where it is not known.
  private let owner: (user: UInt32, group: UInt32)?
  /// Mode bits that do not come through.
  private let lost: UInt16

  /// Nothing is taken for granted.
  static let unknown = Birth(owner: nil, lost: 0o7777)
  /// To make the directory with that is looked at.
  static let probe: UInt16 = 0o777

  private init(owner: (user: UInt32, group: UInt32)?, lost: UInt16) {
    self.owner = owner
    self.lost = lost
  }

  /// In a directory made with ``probe``, and below: as long as the directories there have no other owner.
  init(below directory: consuming Directory) throws {
    let status = try directory.status()
    let inheritsGroup = status.mode & ~Self.probe != 0
    owner = (status.owner, status.group)
    lost = inheritsGroup ? 0o7777 : ~status.mode
  }

  /// The mode to make an entry with, where it can be made with its own.
  func mode(_ metadata: Metadata) -> UInt16? { metadata.mode & lost == 0 ? metadata.mode : nil }

  /// - Parameter mode: what ``mode(_:)`` said for the metadata that the entry was made with.
  func remaining(_ metadata: Metadata, _ mode: UInt16?) -> Remaining {
    var remaining: Remaining = mode == metadata.mode ? [] : .mode
    if owner.map({ $0 != (metadata.owner, metadata.group) }) ?? true { remaining.insert(.owner) }
    return remaining
  }
}
