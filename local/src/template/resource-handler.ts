/**
 * How the loader creates one CloudFormation resource type. A service keeps the handlers of its types beside its
 * operations, in `services/<service>/resources.ts`, and creates through `kernel.call` as the deployment.
 */
import type { Caller } from '../kernel/caller.ts';
import type { Kernel } from '../kernel/kernel.ts';

/**
 * Which properties of a type the runtime knows. What is not listed stops the start by name.
 * - `'executed'`: it has the effect it has on AWS; whatever it contains is accepted;
 * - `'declared'`: accepted, without effect on this machine (`docs/fidelity.md` lists it);
 * - an object: these members; an array of one: a list of these.
 */
export type PropertySpec =
  | 'executed'
  | 'declared'
  | { readonly [name: string]: PropertySpec }
  | readonly [PropertySpec];

export interface ResourceRequest {
  readonly kernel: Kernel;
  readonly caller: Caller;
  /** The name of the stack and the logical id, for messages and for generated physical names. */
  readonly stackName: string;
  readonly logicalId: string;
  /** A name for resources that the template leaves unnamed, as CloudFormation makes it: `<stack>-<id>-<suffix>`. */
  readonly generatedName: string;
  /** With all intrinsics resolved. */
  readonly properties: Readonly<Record<string, unknown>>;
  /** The folder of the cloud assembly: asset paths are found through it. */
  readonly assembly: AssetSource;
}

export interface AssetSource {
  /** The folder or file of the file asset that the template knows by this object key; undefined when there is none. */
  findAsset(objectKey: string): string | undefined;
}

export interface CreatedResource {
  /** What `Ref` gives: the physical id. */
  readonly ref: string;
  /** What `Fn::GetAtt` gives, by attribute name. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A resource that is there from an earlier start (`--data`). */
export interface ExistingResource extends CreatedResource {
  /** What it was made from, with all intrinsics resolved. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/** How a resource that exists follows a change of its template. */
export interface ResourceUpdate {
  /** The properties that can change; a change of another one is refused by name. */
  readonly properties: readonly string[] | 'all';
  /**
   * - `create`: what creates it sets everything anew on what is there;
   * - `replace`: it is deleted and created again, which is for what holds no data.
   */
  readonly by:
    | 'create'
    | 'replace'
    | ((request: ResourceRequest, before: ExistingResource) => Promise<CreatedResource> | CreatedResource);
}

/** What a resource that goes was: `request` has the properties it was made from. */
export type DeleteResource = (request: ResourceRequest, existing: CreatedResource) => Promise<unknown> | unknown;

export interface ResourceHandler {
  readonly type: string;
  readonly properties: { readonly [name: string]: PropertySpec };
  /** True for types that only exist to be deployed (dashboards, log retention): accepted, created nowhere. */
  readonly declaredOnly?: true;
  create(request: ResourceRequest): Promise<CreatedResource> | CreatedResource;
  /** Without it no property can change while the state is kept. */
  readonly update?: ResourceUpdate;
  /** Without it there is nothing to take away. */
  readonly delete?: DeleteResource;
}
