import CLinux

/// How a container ended.
struct Exit {
  var code: Int32
  var finishedAt: Int64
  var oomKilled = false
  /// `StartError` where create or start failed; `failure` then says how.
  var failure: Failure?

  init(code: Int32) {
    self.code = code
    finishedAt = shim_realtime()
  }

  init(startError failure: Failure) {
    self.init(code: 128)
    self.failure = failure
  }

  var reason: Bytes { failure == nil ? [] : Bytes("StartError") }

  /// The record that a later daemon reads from `<sandbox>/exits/<container>`.
  var json: Bytes {
    var text = "{\"exitCode\":" + Bytes(decimal: code) + ",\"finishedAt\":" + Bytes(decimal: finishedAt)
    text += ",\"oomKilled\":" + Bytes(oomKilled ? "true" : "false")
    text += ",\"reason\":\"" + reason + "\",\"message\":" + (failure?.message ?? []).jsonString + "}\n"
    return text
  }

  /// containerd's WaitResponse
  var waitAnswer: Bytes {
    var response = ProtobufWriter()
    response.put(1, UInt64(UInt32(bitPattern: code)))
    response.timestamp(2, finishedAt)
    return response.bytes
  }

  /// containerd's DeleteResponse
  static func deleteAnswer(_ exit: Exit?, pid: Int32) -> Bytes {
    var response = ProtobufWriter()
    response.put(1, pid)
    response.put(2, UInt64(UInt32(bitPattern: exit?.code ?? 255)))
    response.timestamp(3, exit?.finishedAt ?? 0)
    return response.bytes
  }
}
