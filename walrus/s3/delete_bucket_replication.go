package s3

import "net/http"

var _ = define(operation{Name: "DeleteBucketReplication", Action: "s3:PutReplicationConfiguration", Method: http.MethodDelete, On: onBucket, Sub: "replication", Run: deleteSetting})
