SUMMARY = "Device-tree overlay of the board with the CT inputs"
DESCRIPTION = "The analogue-digital converter on SPI bus 0 and its data-ready line."
SECTION = "kernel"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

DEPENDS = "dtc-native"

SRC_URI = "file://dlb-adc.dts"

S = "${UNPACKDIR}"

inherit deploy nopackages

COMPATIBLE_MACHINE = "^rpi$"
INHIBIT_DEFAULT_DEPS = "1"
PACKAGE_ARCH = "${MACHINE_ARCH}"

do_compile() {
    dtc -@ -W no-unit_address_vs_reg -I dts -O dtb -o ${B}/dlb-adc.dtbo ${S}/dlb-adc.dts
}

do_install[noexec] = "1"

do_deploy() {
    install -m 0644 ${B}/dlb-adc.dtbo ${DEPLOYDIR}/dlb-adc.dtbo
}
addtask deploy after do_compile before do_build
