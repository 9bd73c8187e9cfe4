import CNI
import Settings

extension CNINetwork.Settings {
  init(_ settings: Configuration) {
    self.init()
    root = settings.root
    configurationDirectory = settings.cni.configurationDirectory
    furtherDirectories = Set(settings.runtimes.handlers.values.compactMap(\.networkDirectory)).subtracting([configurationDirectory])
    pluginDirectories = settings.cni.binaryDirectories
    networks = settings.cni.maximumNetworks
    serially = settings.cni.attachesSerially
    checksAttached = settings.cni.checksAttached
    preferred = settings.cni.defaultNetwork
    preference = AddressPreference(rawValue: settings.cni.addressPreference) ?? .ipv4
    template = settings.cni.template ?? ""
    addLimit = .seconds(settings.cni.timeout)
    deleteLimit = min(deleteLimit, addLimit)
    (readyLimit, statusGrace) = (settings.cni.readyTimeout, settings.cni.statusGrace)
    hostPorts = HostPorts(rawValue: settings.cni.hostPorts) ?? .portmap
  }
}
