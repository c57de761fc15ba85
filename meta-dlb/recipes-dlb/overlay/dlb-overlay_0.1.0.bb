SUMMARY = "Units, network, firewall and update configuration of the box"
DESCRIPTION = "Installs rootfs-overlay of the repository as it is: the same files that the test image is made of."
SECTION = "base"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/Apache-2.0;md5=89aea4e17d99a7cacdbeed46a0096b10"

FILESEXTRAPATHS:prepend := "${THISDIR}/../../..:"
SRC_URI = "file://rootfs-overlay"

S = "${UNPACKDIR}/rootfs-overlay"

inherit allarch useradd

USERADD_PACKAGES = "${PN}"
USERADD_PARAM:${PN} = "--system --user-group --no-create-home --home-dir ${localstatedir}/lib/dlb --shell /sbin/nologin dlb"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

# Units are enabled by `20-dlb.preset`, which the image class carries out. What other recipes own is installed by them: the RAUC configuration by rauc-conf, names and addresses of the host by
# base-files and systemd.
do_install() {
    install -d ${D}${nonarch_libdir} ${D}${sysconfdir}
    cp -R --no-dereference --preserve=mode,links ${S}/usr/lib/. ${D}${nonarch_libdir}/
    cp -R --no-dereference --preserve=mode,links ${S}/etc/. ${D}${sysconfdir}/
    rm -rf ${D}${sysconfdir}/rauc ${D}${sysconfdir}/machine-id ${D}${sysconfdir}/hostname ${D}${sysconfdir}/hosts
    rm -f ${D}${nonarch_libdir}/dlb/boot.cmd
    chown -R root:root ${D}
}

FILES:${PN} += "${nonarch_libdir}"

RDEPENDS:${PN} = "busybox dlb e2fsprogs-mke2fs libubootenv-bin nftables rauc systemd-extra-utils"
