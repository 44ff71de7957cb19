//go:build real

package sdktest

import (
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// same compares what was set with what came back.
func same(t *testing.T, what string, err error, got, want any) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func must[T any](t *testing.T, what string) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return v
	}
}

// TestSettings sets each setting as the SDK writes it and reads it back.
func TestSettings(t *testing.T) {
	c, ctx, pond := client(t), t.Context(), aws.String("pond")
	day := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)

	_, err := c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: pond, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
	same(t, "PutBucketVersioning", err, nil, nil)
	versioning := must[*s3.GetBucketVersioningOutput](t, "GetBucketVersioning")(c.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: pond}))
	same(t, "versioning", nil, versioning.Status, types.BucketVersioningStatusEnabled)

	tags := []types.Tag{{Key: aws.String("a"), Value: aws.String("b c")}, {Key: aws.String("d"), Value: aws.String("")}}
	_, err = c.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: pond, Tagging: &types.Tagging{TagSet: tags}})
	same(t, "PutBucketTagging", err, nil, nil)
	tagging := must[*s3.GetBucketTaggingOutput](t, "GetBucketTagging")(c.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: pond}))
	same(t, "tagging", nil, tagging.TagSet, tags)
	_, err = c.DeleteBucketTagging(ctx, &s3.DeleteBucketTaggingInput{Bucket: pond})
	same(t, "DeleteBucketTagging", err, nil, nil)
	_, err = c.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: pond})
	wantCode(t, err, "NoSuchTagSet")

	rules := []types.CORSRule{{ID: aws.String("r"), AllowedMethods: []string{"GET", "PUT"}, AllowedOrigins: []string{"http://*.a"}, AllowedHeaders: []string{"*"}, ExposeHeaders: []string{"ETag"}, MaxAgeSeconds: aws.Int32(9)}}
	_, err = c.PutBucketCors(ctx, &s3.PutBucketCorsInput{Bucket: pond, CORSConfiguration: &types.CORSConfiguration{CORSRules: rules}})
	same(t, "PutBucketCors", err, nil, nil)
	cors := must[*s3.GetBucketCorsOutput](t, "GetBucketCors")(c.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: pond}))
	same(t, "cors", nil, cors.CORSRules, rules)
	_, err = c.DeleteBucketCors(ctx, &s3.DeleteBucketCorsInput{Bucket: pond})
	same(t, "DeleteBucketCors", err, nil, nil)

	life := []types.LifecycleRule{
		{ID: aws.String("one"), Status: types.ExpirationStatusEnabled, Expiration: &types.LifecycleExpiration{Days: aws.Int32(3)},
			Filter: &types.LifecycleRuleFilter{And: &types.LifecycleRuleAndOperator{Prefix: aws.String("a/"), Tags: tags[:1], ObjectSizeGreaterThan: aws.Int64(5)}}},
		{ID: aws.String("two"), Status: types.ExpirationStatusDisabled, Expiration: &types.LifecycleExpiration{Date: &day}, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("")},
			AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(7)},
			NoncurrentVersionExpiration:    &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(4), NewerNoncurrentVersions: aws.Int32(2)}},
	}
	_, err = c.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: pond, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: life}})
	same(t, "PutBucketLifecycleConfiguration", err, nil, nil)
	lifecycle := must[*s3.GetBucketLifecycleConfigurationOutput](t, "GetBucketLifecycleConfiguration")(c.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: pond}))
	same(t, "lifecycle", nil, lifecycle.Rules, life)
	_, err = c.DeleteBucketLifecycle(ctx, &s3.DeleteBucketLifecycleInput{Bucket: pond})
	same(t, "DeleteBucketLifecycle", err, nil, nil)

	sealed := &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAes256}}}}
	_, err = c.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: pond, ServerSideEncryptionConfiguration: sealed})
	same(t, "PutBucketEncryption", err, nil, nil)
	encryption := must[*s3.GetBucketEncryptionOutput](t, "GetBucketEncryption")(c.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: pond}))
	same(t, "encryption", nil, encryption.ServerSideEncryptionConfiguration, sealed)
	_, err = c.DeleteBucketEncryption(ctx, &s3.DeleteBucketEncryptionInput{Bucket: pond})
	same(t, "DeleteBucketEncryption", err, nil, nil)
}

// TestMoreSettings does so with those that name other things.
func TestMoreSettings(t *testing.T) {
	c, ctx, pond := client(t), t.Context(), aws.String("pond")

	told := &types.NotificationConfiguration{QueueConfigurations: []types.QueueConfiguration{{Id: aws.String("q"), QueueArn: aws.String(queueARN), Events: []types.Event{types.EventS3ObjectCreated},
		Filter: &types.NotificationConfigurationFilter{Key: &types.S3KeyFilter{FilterRules: []types.FilterRule{{Name: types.FilterRuleNamePrefix, Value: aws.String("a")}}}}}}}
	_, err := c.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: pond, NotificationConfiguration: told})
	same(t, "PutBucketNotificationConfiguration", err, nil, nil)
	notification := must[*s3.GetBucketNotificationConfigurationOutput](t, "GetBucketNotificationConfiguration")(c.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: pond}))
	same(t, "notification", nil, notification.QueueConfigurations, told.QueueConfigurations)

	logs := &types.LoggingEnabled{TargetBucket: pond, TargetPrefix: aws.String("log/"), TargetObjectKeyFormat: &types.TargetObjectKeyFormat{PartitionedPrefix: &types.PartitionedPrefix{PartitionDateSource: types.PartitionDateSourceEventTime}}}
	_, err = c.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: pond, BucketLoggingStatus: &types.BucketLoggingStatus{LoggingEnabled: logs}})
	same(t, "PutBucketLogging", err, nil, nil)
	logging := must[*s3.GetBucketLoggingOutput](t, "GetBucketLogging")(c.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: pond}))
	same(t, "logging", nil, logging.LoggingEnabled, logs)

	site := &types.WebsiteConfiguration{IndexDocument: &types.IndexDocument{Suffix: aws.String("index.html")}, ErrorDocument: &types.ErrorDocument{Key: aws.String("e")},
		RoutingRules: []types.RoutingRule{{Condition: &types.Condition{KeyPrefixEquals: aws.String("a/")}, Redirect: &types.Redirect{ReplaceKeyPrefixWith: aws.String("b/"), Protocol: types.ProtocolHttps}}}}
	_, err = c.PutBucketWebsite(ctx, &s3.PutBucketWebsiteInput{Bucket: pond, WebsiteConfiguration: site})
	same(t, "PutBucketWebsite", err, nil, nil)
	website := must[*s3.GetBucketWebsiteOutput](t, "GetBucketWebsite")(c.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: pond}))
	same(t, "website", nil, []any{website.IndexDocument, website.ErrorDocument, website.RoutingRules}, []any{site.IndexDocument, site.ErrorDocument, site.RoutingRules})
	_, err = c.DeleteBucketWebsite(ctx, &s3.DeleteBucketWebsiteInput{Bucket: pond})
	same(t, "DeleteBucketWebsite", err, nil, nil)

	list := &types.InventoryConfiguration{Id: aws.String("list"), IsEnabled: aws.Bool(true), IncludedObjectVersions: types.InventoryIncludedObjectVersionsAll,
		Schedule: &types.InventorySchedule{Frequency: types.InventoryFrequencyDaily}, OptionalFields: []types.InventoryOptionalField{types.InventoryOptionalFieldSize, types.InventoryOptionalFieldETag},
		Filter:      &types.InventoryFilter{Prefix: aws.String("a")},
		Destination: &types.InventoryDestination{S3BucketDestination: &types.InventoryS3BucketDestination{Bucket: aws.String("arn:aws:s3:::pond"), Format: types.InventoryFormatCsv, Prefix: aws.String("lists")}}}
	_, err = c.PutBucketInventoryConfiguration(ctx, &s3.PutBucketInventoryConfigurationInput{Bucket: pond, Id: list.Id, InventoryConfiguration: list})
	same(t, "PutBucketInventoryConfiguration", err, nil, nil)
	inventory := must[*s3.GetBucketInventoryConfigurationOutput](t, "GetBucketInventoryConfiguration")(c.GetBucketInventoryConfiguration(ctx, &s3.GetBucketInventoryConfigurationInput{Bucket: pond, Id: list.Id}))
	same(t, "inventory", nil, inventory.InventoryConfiguration, list)
	all := must[*s3.ListBucketInventoryConfigurationsOutput](t, "ListBucketInventoryConfigurations")(c.ListBucketInventoryConfigurations(ctx, &s3.ListBucketInventoryConfigurationsInput{Bucket: pond}))
	same(t, "inventories", nil, all.InventoryConfigurationList, []types.InventoryConfiguration{*list})
	_, err = c.DeleteBucketInventoryConfiguration(ctx, &s3.DeleteBucketInventoryConfigurationInput{Bucket: pond, Id: list.Id})
	same(t, "DeleteBucketInventoryConfiguration", err, nil, nil)

	_, err = c.PutBucketRequestPayment(ctx, &s3.PutBucketRequestPaymentInput{Bucket: pond, RequestPaymentConfiguration: &types.RequestPaymentConfiguration{Payer: types.PayerBucketOwner}})
	same(t, "PutBucketRequestPayment", err, nil, nil)
	payment := must[*s3.GetBucketRequestPaymentOutput](t, "GetBucketRequestPayment")(c.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{Bucket: pond}))
	same(t, "payment", nil, payment.Payer, types.PayerBucketOwner)
}

// TestSettingsOfVersions does so with those that want versions.
func TestSettingsOfVersions(t *testing.T) {
	c, ctx, pond := client(t), t.Context(), aws.String("pond")
	_, err := c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: pond, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
	same(t, "PutBucketVersioning", err, nil, nil)

	copies := &types.ReplicationConfiguration{Role: aws.String("r"), Rules: []types.ReplicationRule{{ID: aws.String("a"), Priority: aws.Int32(1), Status: types.ReplicationRuleStatusEnabled,
		Filter: &types.ReplicationRuleFilter{Prefix: aws.String("a/")}, DeleteMarkerReplication: &types.DeleteMarkerReplication{Status: types.DeleteMarkerReplicationStatusEnabled},
		Destination: &types.Destination{Bucket: aws.String(replicaARN)}}}}
	_, err = c.PutBucketReplication(ctx, &s3.PutBucketReplicationInput{Bucket: pond, ReplicationConfiguration: copies})
	same(t, "PutBucketReplication", err, nil, nil)
	replication := must[*s3.GetBucketReplicationOutput](t, "GetBucketReplication")(c.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: pond}))
	same(t, "replication", nil, replication.ReplicationConfiguration, copies)
	_, err = c.DeleteBucketReplication(ctx, &s3.DeleteBucketReplicationInput{Bucket: pond})
	same(t, "DeleteBucketReplication", err, nil, nil)

	lock := &types.ObjectLockConfiguration{ObjectLockEnabled: types.ObjectLockEnabledEnabled, Rule: &types.ObjectLockRule{DefaultRetention: &types.DefaultRetention{Mode: types.ObjectLockRetentionModeGovernance, Days: aws.Int32(1)}}}
	_, err = c.PutObjectLockConfiguration(ctx, &s3.PutObjectLockConfigurationInput{Bucket: pond, ObjectLockConfiguration: lock})
	same(t, "PutObjectLockConfiguration", err, nil, nil)
	locked := must[*s3.GetObjectLockConfigurationOutput](t, "GetObjectLockConfiguration")(c.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: pond}))
	same(t, "lock", nil, locked.ObjectLockConfiguration, lock)
	_, err = c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: pond, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusSuspended}})
	wantCode(t, err, "InvalidBucketState")
}
