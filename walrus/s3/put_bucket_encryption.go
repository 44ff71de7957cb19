package s3

import (
	"net/http"

	"karri/walrus/index"
	"karri/walrus/setting"
)

var _ = define(operation{Name: "PutBucketEncryption", Action: "s3:PutEncryptionConfiguration", Method: http.MethodPut, On: onBucket, Sub: "encryption",
	Run: putSetting(func(c *call, _ *setting.Encryption, _ *index.Bucket) error {
		if c.Master == nil {
			return notImplemented("Server side encryption is not implemented: there are no master keys.")
		}
		return nil
	})})
