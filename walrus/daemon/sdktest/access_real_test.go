//go:build real

package sdktest

import (
	"bytes"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"karri/walrus/access"
	"karri/walrus/daemon/walrustest"
)

// TestAccess sets each document about access as the SDK writes it and reads it back.
func TestAccess(t *testing.T) {
	c, ctx, pond, key := client(t), t.Context(), aws.String("pond"), aws.String("key")
	annID, bobID := access.Canonical(walrustest.Ann.Account), access.Canonical(walrustest.Bob.Account)

	block := types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(false), IgnorePublicAcls: aws.Bool(true), BlockPublicPolicy: aws.Bool(false), RestrictPublicBuckets: aws.Bool(true)}
	_, err := c.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: pond, PublicAccessBlockConfiguration: &block})
	same(t, "PutPublicAccessBlock", err, nil, nil)
	got := must[*s3.GetPublicAccessBlockOutput](t, "GetPublicAccessBlock")(c.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: pond}))
	same(t, "block", nil, *got.PublicAccessBlockConfiguration, block)
	_, err = c.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: pond})
	same(t, "DeletePublicAccessBlock", err, nil, nil)
	_, err = c.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: pond})
	wantCode(t, err, "NoSuchPublicAccessBlockConfiguration")

	const doc = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::pond/*"}]}`
	_, err = c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: pond, Policy: aws.String(doc)})
	same(t, "PutBucketPolicy", err, nil, nil)
	policy := must[*s3.GetBucketPolicyOutput](t, "GetBucketPolicy")(c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: pond}))
	same(t, "policy", nil, *policy.Policy, doc)
	status := must[*s3.GetBucketPolicyStatusOutput](t, "GetBucketPolicyStatus")(c.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: pond}))
	same(t, "policy status", nil, *status.PolicyStatus.IsPublic, true)
	_, err = c.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: pond})
	same(t, "DeleteBucketPolicy", err, nil, nil)
	_, err = c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: pond})
	wantCode(t, err, "NoSuchBucketPolicy")

	list := &types.AccessControlPolicy{Owner: &types.Owner{ID: &annID}, Grants: []types.Grant{
		{Permission: types.PermissionRead, Grantee: &types.Grantee{Type: types.TypeCanonicalUser, ID: &bobID}},
		{Permission: types.PermissionReadAcp, Grantee: &types.Grantee{Type: types.TypeGroup, URI: aws.String(access.AuthenticatedUsers)}},
	}}
	_, err = c.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: pond, AccessControlPolicy: list})
	same(t, "PutBucketAcl", err, nil, nil)
	acl := must[*s3.GetBucketAclOutput](t, "GetBucketAcl")(c.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: pond}))
	same(t, "list of the bucket", nil, acl.Grants, list.Grants)
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: pond, Key: key, Body: bytes.NewReader(nil), ACL: types.ObjectCannedACLPublicRead})
	same(t, "PutObject", err, nil, nil)
	_, err = c.PutObjectAcl(ctx, &s3.PutObjectAclInput{Bucket: pond, Key: key, AccessControlPolicy: list})
	same(t, "PutObjectAcl", err, nil, nil)
	object := must[*s3.GetObjectAclOutput](t, "GetObjectAcl")(c.GetObjectAcl(ctx, &s3.GetObjectAclInput{Bucket: pond, Key: key}))
	same(t, "list of the object", nil, object.Grants, list.Grants)
	same(t, "owner of the object", nil, *object.Owner.ID, annID)

	_, err = c.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: pond, ACL: types.BucketCannedACLPrivate})
	same(t, "PutBucketAcl", err, nil, nil)
	rules := []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipBucketOwnerEnforced}}
	_, err = c.PutBucketOwnershipControls(ctx, &s3.PutBucketOwnershipControlsInput{Bucket: pond, OwnershipControls: &types.OwnershipControls{Rules: rules}})
	same(t, "PutBucketOwnershipControls", err, nil, nil)
	owning := must[*s3.GetBucketOwnershipControlsOutput](t, "GetBucketOwnershipControls")(c.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: pond}))
	same(t, "ownership", nil, owning.OwnershipControls.Rules, rules)
	_, err = c.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: pond, ACL: types.BucketCannedACLPublicRead})
	wantCode(t, err, "AccessControlListNotSupported")
	_, err = c.DeleteBucketOwnershipControls(ctx, &s3.DeleteBucketOwnershipControlsInput{Bucket: pond})
	same(t, "DeleteBucketOwnershipControls", err, nil, nil)
}
