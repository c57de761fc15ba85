FILESEXTRAPATHS:prepend:dlb-os := "${THISDIR}/../../../../recipes-kernel/linux/files:"

SRC_URI:append:dlb-os = " file://dlb.cfg"
