package s3

import (
	"net/http"

	"karri/walrus/setting"
)

var _ = define(operation{Name: "PutBucketEncryption", Action: "s3:PutEncryptionConfiguration", Method: http.MethodPut, On: onBucket, Sub: "encryption", Run: putSetting[setting.Encryption](nil)})
