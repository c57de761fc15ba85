FILESEXTRAPATHS:prepend:dlb-os := "${THISDIR}/files:"

SRC_URI:append:dlb-os = " file://dlb.cfg"
