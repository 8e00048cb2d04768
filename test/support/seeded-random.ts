/** Random numbers that are the same for the same seed. */
export { seededRandom } from '../../local/src/faults/random.ts';
