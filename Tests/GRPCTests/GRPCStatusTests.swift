import GRPC
import Testing

@Suite struct GRPCStatusTests {
  @Test func `Any error is a status`() {
    struct Convertible: GRPCStatusConvertible { var grpcStatus: GRPCStatus { GRPCStatus(.notFound, "gone") } }
    struct Other: Error {}
    #expect(GRPCStatus(Convertible()) == GRPCStatus(.notFound, "gone"))
    #expect(GRPCStatus(CancellationError()).code == .cancelled)
    #expect(GRPCStatus(Other()).code == .internal)
  }
}
