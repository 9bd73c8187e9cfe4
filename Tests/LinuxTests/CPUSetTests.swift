import Linux
import Testing

@Suite struct CPUSetTests {
  @Test func `a list of processors is what the kernel writes, and written as it does`() {
    let lists = ["": "", "0": "0", "0-3,8": "0-3,8", "3,1,2": "1-3", "5-5": "5", "0-1,1-2": "0-2", "7,3": "3,7"]
    for (text, list) in lists { #expect(CPUSet(text).map { "\($0)" } == list, "\(text)") }
    for text in ["a", "1-", "-1", "3-1", "1,,2", ",", "0-99999999", "1 2", "1-2-3", "0x1"] { #expect(CPUSet(text) == nil, "\(text)") }
    #expect(CPUSet(Array(repeating: "0-65535", count: 100_000).joined(separator: ",")) == nil)
  }

  @Test func `sets are joined and taken away`() throws {
    let (low, high) = (try #require(CPUSet("0-3")), try #require(CPUSet("2-5")))
    #expect("\(low.union(high))" == "0-5" && "\(low.subtracting(high))" == "0-1")
    #expect(high.first == 2 && high.count == 4 && CPUSet().isEmpty && CPUSet().first == nil)
  }
}
