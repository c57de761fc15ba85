# The same configuration as the test image, with this machine's name in it.
FILESEXTRAPATHS:prepend:dlb-os := "${THISDIR}/../../../rootfs-overlay/etc/rauc:"

RAUC_KEYRING_URI:dlb-os = "file://${RAUC_KEYRING_FILE}"

do_install:append:dlb-os() {
    install -d ${D}${sysconfdir}/rauc
    rm -rf ${D}${nonarch_libdir}/rauc
    sed -e 's/@COMPATIBLE@/${DLB_COMPATIBLE}/' ${UNPACKDIR}/system.conf > ${D}${sysconfdir}/rauc/system.conf
    install -m 0644 ${RAUC_KEYRING_FILE} ${D}${sysconfdir}/rauc/keyring.pem
}

FILES:${PN}:append:dlb-os = " ${sysconfdir}/rauc"
