SUMMARY = "The boot script that chooses between the two systems"
DESCRIPTION = "Made of the same source as the test image's: rootfs-overlay/usr/lib/dlb/boot.cmd."
SECTION = "bootloaders"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

DEPENDS = "u-boot-mkimage-native"
PROVIDES += "u-boot-default-script"

FILESEXTRAPATHS:prepend := "${THISDIR}/../../../rootfs-overlay/usr/lib/dlb:"
SRC_URI = "file://boot.cmd"

S = "${UNPACKDIR}"

inherit kernel-arch deploy nopackages

INHIBIT_DEFAULT_DEPS = "1"
PACKAGE_ARCH = "${MACHINE_ARCH}"

do_compile() {
    mkimage -A ${UBOOT_ARCH} -T script -C none -n "dlb" -d ${S}/boot.cmd ${B}/boot.scr
}

do_install[noexec] = "1"

do_deploy() {
    install -m 0644 ${B}/boot.scr ${DEPLOYDIR}/boot.scr
}
addtask deploy after do_compile before do_build
