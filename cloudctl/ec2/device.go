package ec2

import (
	"regexp"
	"strings"
)

var deviceForm = regexp.MustCompile(`^(/dev/)?(sd|xvd|vd)[b-z][a-z]?[0-9]{0,2}$`)

// checkDevice returns a device name in the form /dev/sdf, or the fault of one
// that no volume can have.
func checkDevice(device string) (string, error) {
	if !deviceForm.MatchString(device) {
		return "", invalid("Value (%s) for parameter device is invalid. %s is not a valid EBS device name.", device, device)
	}
	if !strings.HasPrefix(device, "/dev/") {
		device = "/dev/" + device
	}
	return device, nil
}
