package s3

import (
	"net/http"

	"karri/shared/fault"
)

var _ = define(operation{Name: "GetObjectLockConfiguration", Action: "s3:GetBucketObjectLockConfiguration", Method: http.MethodGet, On: onBucket, Sub: "object-lock", Run: (*call).getObjectLockConfiguration})

func (c *call) getObjectLockConfiguration() error {
	if !c.b.Locked {
		return fault.New(fault.Missing, "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")
	}
	c.xml(http.StatusOK, c.settings.Lock)
	return nil
}
