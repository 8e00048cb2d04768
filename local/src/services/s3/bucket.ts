import type {
  BucketLoggingStatus,
  CORSRule,
  LifecycleRule,
  OwnershipControls,
  PublicAccessBlockConfiguration,
  ServerSideEncryptionConfiguration,
  Tag,
} from '@aws-sdk/client-s3';
import type { PolicyDocument } from '../../iam/policy-document.ts';
import type { MultipartUpload } from './multipart-upload.ts';
import type { Notification } from './notifications/notification.ts';
import { type ObjectContent, ObjectStore, type Versioning } from './object-store.ts';

/** What can be set on a bucket after it exists, in the shapes of the API. */
export interface BucketSettings {
  versioning: Versioning;
  policy: { readonly text: string; readonly document: PolicyDocument } | undefined;
  publicAccessBlock: PublicAccessBlockConfiguration | undefined;
  ownershipControls: OwnershipControls | undefined;
  encryption: ServerSideEncryptionConfiguration;
  cors: readonly CORSRule[];
  lifecycle: readonly LifecycleRule[];
  logging: BucketLoggingStatus;
  notifiesEventBridge: boolean;
  notifications: readonly Notification[];
  tags: readonly Tag[];
}

/** A bucket with the defaults that new buckets have since April 2023: no public access, no ACLs, SSE-S3. */
export class Bucket {
  readonly name: string;
  readonly createdAt: number;
  readonly objects = new ObjectStore();
  readonly uploads = new Map<string, MultipartUpload>();
  readonly settings: BucketSettings = {
    versioning: undefined,
    policy: undefined,
    publicAccessBlock: {
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    },
    ownershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    encryption: { Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] },
    cors: [],
    lifecycle: [],
    logging: {},
    notifiesEventBridge: false,
    notifications: [],
    tags: [],
  };

  constructor(name: string, createdAt: number) {
    this.name = name;
    this.createdAt = createdAt;
  }

  get arn(): string {
    return `arn:aws:s3:::${this.name}`;
  }

  /** What encrypts objects whose request does not say. */
  get defaultEncryption(): ObjectContent['encryption'] {
    const [first] = this.settings.encryption.Rules ?? [];
    const { SSEAlgorithm = 'AES256', KMSMasterKeyID } = first?.ApplyServerSideEncryptionByDefault ?? {};
    // Templates give booleans as text, too.
    return { algorithm: SSEAlgorithm, keyId: KMSMasterKeyID, bucketKey: String(first?.BucketKeyEnabled) === 'true' };
  }

  get aclsDisabled(): boolean {
    return this.settings.ownershipControls?.Rules?.[0]?.ObjectOwnership === 'BucketOwnerEnforced';
  }
}
