/// Architectures in seccomp's terms.
enum SeccompArchitecture {
  /// OCI's name of the architecture this runs on, as profiles write it in `includes.arches`.
  static var native: String {
    #if arch(x86_64)
      "amd64"
    #elseif arch(arm64)
      "arm64"
    #elseif arch(arm)
      "arm"
    #elseif arch(riscv64)
      "riscv64"
    #elseif arch(powerpc64le)
      "ppc64le"
    #else
      "s390x"
    #endif
  }

  /// The native one first, then those whose programs the same kernel runs.
  static var all: [String] {
    switch native {
    case "amd64": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
    case "arm64": ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]
    case "arm": ["SCMP_ARCH_ARM"]
    case "riscv64": ["SCMP_ARCH_RISCV64"]
    case "ppc64le": ["SCMP_ARCH_PPC64LE"]
    default: ["SCMP_ARCH_S390X", "SCMP_ARCH_S390"]
    }
  }

  static let names: Set<String> = [
    "SCMP_ARCH_NATIVE", "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",
    "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",
    "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64",
    "SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB",
  ]
}
