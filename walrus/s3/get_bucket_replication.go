package s3

import "net/http"

var _ = define(operation{Name: "GetBucketReplication", Action: "s3:GetReplicationConfiguration", Method: http.MethodGet, On: onBucket, Sub: "replication",
	Run: getSetting("ReplicationConfigurationNotFoundError", "The replication configuration was not found")})
