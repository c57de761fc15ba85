SUMMARY = "Balances electric-car chargers on one grid connection"
DESCRIPTION = "Measures a site on every phase and shares what its grid connection carries among the chargers, \
so that no limit is ever exceeded."
SECTION = "utils"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"
CVE_PRODUCT = "dlb"

inherit cargo

require dlb-crates.inc

# Where `yocto/make-release` puts the sources together with the page, which is built outside: npm's fetchers are off in
# BitBake. A maker who publishes releases adds one to SRC_URI instead.
DLB_RELEASE ??= "${THISDIR}/../../../yocto/release-out/dlb-${PV}.tar.gz"

unpack_release() {
    if [ ! -e "${DLB_RELEASE}" ]; then
        bbfatal "${DLB_RELEASE} is missing: run yocto/make-release first"
    fi
    tar -xzf ${DLB_RELEASE} -C ${UNPACKDIR}
}
do_unpack[postfuncs] += "unpack_release"
do_unpack[file-checksums] += "${DLB_RELEASE}:${@os.path.exists(d.getVar('DLB_RELEASE'))}"

S = "${UNPACKDIR}/dlb-${PV}"

# The page that lies in the release, ready.
export DLB_WEBUI_DIST = "${S}/webui/dist"

CARGO_BUILD_FLAGS += "--package dlb"

# RAUC and systemd are reached over D-Bus; without them the program runs, too.
RRECOMMENDS:${PN} = "dlb-overlay"
