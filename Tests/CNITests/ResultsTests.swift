import Core
import Testing

@testable import CNI

struct ResultsTests {
  private func addresses(_ text: String) throws -> [String] { try Results.addresses(try JSON(parsing: Array(text.utf8)), ifName: "eth0") }

  @Test func bothFamiliesComeInThePluginsOrder() throws {
    let result = """
      {"interfaces":[{"name":"br0"},{"name":"veth1"},{"name":"eth0","sandbox":"/run/netns/a"}],
       "ips":[{"address":"fd00::2/64","interface":2},{"address":"10.0.0.2/24","interface":2}]}
      """
    #expect(try addresses(result) == ["fd00::2", "10.0.0.2"])
  }

  @Test func addressesOfTheHostsInterfacesAreNotThePods() throws {
    let result = """
      {"interfaces":[{"name":"br0"},{"name":"eth0","sandbox":"/x"}],"ips":[{"address":"10.0.0.1/24","interface":0},{"address":"10.0.0.2/24","interface":1}]}
      """
    #expect(try addresses(result) == ["10.0.0.2"])
  }

  @Test func addressesWithoutAnInterfaceCountAndTheOwnInterfaceComesFirst() throws {
    #expect(try addresses(#"{"ips":[{"version":"4","address":"10.1.0.9/16"}]}"#) == ["10.1.0.9"])
    #expect(try addresses(#"{"ips":[{"address":"10.1.0.9/16","interface":7}]}"#) == ["10.1.0.9"])
    let result = """
      {"interfaces":[{"name":"net1","sandbox":"/x"},{"name":"eth0","sandbox":"/x"}],"ips":[{"address":"10.1.0.1/24","interface":0},{"address":"10.2.0.1/24","interface":1}]}
      """
    #expect(try addresses(result) == ["10.2.0.1", "10.1.0.1"])
  }

  @Test(arguments: ["{}", #"{"ips":[]}"#, #"{"ips":[{"address":"1.2.3.4/8","interface":0}],"interfaces":[{"name":"br0"}]}"#])
  func noAddressAtAllIsAnError(_ text: String) {
    let error = #expect(throws: Fault.self) { try addresses(text) }
    #expect(error?.message == "the plugins' result has no address for eth0")
  }

  @Test func aResultIsPresentedInTheNetworksVersion() throws {
    let new = try JSON(parsing: Array(#"{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2/24"},{"address":"fd00::1/64"}]}"#.utf8))
    let old = Results.presentable(new, version: CNIVersion(0, 3, 1))
    #expect(old["cniVersion"] == "0.3.1")
    #expect(old["ips"]?.array?.map { $0["version"] } == ["4", "6"])
    #expect(Results.presentable(old, version: CNIVersion(1, 0, 0))["ips"] == new["ips"])
    #expect(Results.presentable(new, version: CNIVersion(1, 0, 0)) == new)
  }
}
