import Core
import TTRPC

extension Fault {
  /// A shim's refusal keeps its code and words; a lost connection is UNAVAILABLE.
  init(_ error: TTRPCError) {
    self.init(Code(rawValue: UInt32(bitPattern: error.code)) ?? .unknown, error.message, cause: error)
  }
}
