package s3

import (
	"net/http"

	"karri/walrus/index"
	"karri/walrus/setting"
)

var _ = define(operation{Name: "PutBucketReplication", Action: "s3:PutReplicationConfiguration", Method: http.MethodPut, On: onBucket, Sub: "replication",
	Run: putSetting(func(c *call, v *setting.Replication, b *index.Bucket) error {
		if b.Versioning != index.Enabled {
			return invalidRequest("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
		}
		return v.Check(c.ReplicationTargets, b.Owner)
	})})
